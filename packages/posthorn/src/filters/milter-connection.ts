import type { Socket } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';
import { awaitEvent } from '@posthorn/smtp/net/await-event';
import { connectSocket, formatTarget } from '@posthorn/smtp/net/connect';
import type { FilterRules } from './filter-rules.ts';
import { MilterPackets } from './milter-packets.ts';
import { type MilterReply, parseMilterReply } from './milter-reply.ts';

/** Octets that wait to be sent, beyond which they are. */
const mostWaiting = 65_536;

/** A connection to a filter: packets out, replies in, each with its deadline. It throws Failure, and is of no use then. */
export class MilterConnection {
  readonly #socket: Socket;
  readonly #rules: FilterRules;
  readonly #what: string;
  readonly #packets = new MilterPackets();
  #waiting: Buffer[] = [];
  #octets = 0;

  private constructor(socket: Socket, rules: FilterRules) {
    this.#socket = socket;
    this.#rules = rules;
    this.#what = `the filter at ${formatTarget(rules.target)}`;
    // Whoever waits for it next is told.
    socket.on('error', () => {});
    socket.unref();
  }

  /** Rejects as `connectSocket` does. */
  static async open(rules: FilterRules, signal?: AbortSignal): Promise<MilterConnection> {
    const socket = await connectSocket(rules.target, { timeout: rules.times.connect, signal });
    return new MilterConnection(socket, rules);
  }

  /** Whether it can be used no more. */
  get isLost(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded || !this.#socket.writable;
  }

  /** Sends packets: at the latest with the next reply that is awaited, or when many octets wait; a promise then. */
  send(...packets: readonly Buffer[]): Promise<void> | undefined {
    for (const packet of packets) {
      this.#waiting.push(packet);
      this.#octets += packet.length;
    }
    return this.#octets < mostWaiting ? undefined : this.flush();
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (this.isLost) throw new Failure('lost', `${this.#what}: connection closed`);
    const packets = this.#waiting;
    this.#waiting = [];
    this.#octets = 0;
    socket.cork();
    for (const packet of packets) socket.write(packet);
    socket.uncork();
    if (socket.writableNeedDrain) {
      await awaitEvent(socket, 'drain', { what: this.#what, timeout: this.#rules.times.send, signal });
    }
  }

  /** The next reply. */
  async receive(timeout: number, signal?: AbortSignal): Promise<MilterReply> {
    if (this.#waiting.length > 0) await this.flush(signal);
    const socket = this.#socket;
    for (;;) {
      const packet = this.#packets.next();
      if (packet !== undefined) {
        const reply = parseMilterReply(packet);
        if (reply === undefined) throw new Failure('protocol', `${this.#what}: a reply that is none`);
        return reply;
      }
      const piece: Buffer | null = socket.read();
      if (piece !== null) this.#packets.push(piece);
      else if (this.isLost) throw new Failure('lost', `${this.#what}: connection closed`);
      else await awaitEvent(socket, 'readable', { what: this.#what, timeout, signal });
    }
  }

  /** Sends the last of it, and ends. */
  end(...packets: readonly Buffer[]): void {
    if (!this.isLost) this.#socket.end(Buffer.concat([...this.#waiting, ...packets]));
    this.#socket.setTimeout(this.#rules.times.send, () => this.#socket.destroy());
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
