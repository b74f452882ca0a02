import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Peer } from './run-dialogue.ts';
import { testCertificate } from './test-certificate.ts';

/** The client's end of a real connection, or of a stream in memory. */
export class SocketClient implements Peer {
  #stream: Duplex;
  #unread = '';
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#listen();
  }

  /** Connects to a port of the loopback address, from the address `from`. */
  static connect({ port, from = '127.0.0.1' }: { port: number; from?: string }): SocketClient {
    return new SocketClient(connect({ port, host: '127.0.0.1', localAddress: from }));
  }

  get stream(): Duplex {
    return this.#stream;
  }

  /** Whether the far end has closed its half. */
  get isClosed(): boolean {
    return this.#closed;
  }

  send(octets: Buffer | string): void {
    this.#stream.write(octets);
  }

  async line(): Promise<string> {
    await this.#until(() => this.#unread.includes('\r\n'));
    const end = this.#unread.indexOf('\r\n');
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 2);
    return line;
  }

  /** The next whole reply; lines are joined by LF. */
  async reply(): Promise<string> {
    const lines = [await this.line()];
    while (lines.at(-1)?.[3] === '-') lines.push(await this.line());
    return lines.join('\n');
  }

  /** Says lines, each with its CRLF, and waits for one reply to each; gives the last. */
  async say(...lines: string[]): Promise<string> {
    let reply = '';
    for (const line of lines) {
      this.send(`${line}\r\n`);
      reply = await this.reply();
    }
    return reply;
  }

  async event(event: string): Promise<void> {
    if (event === 'tls') await this.secure();
    else if (event === 'close') await this.closed();
    else throw new Error(`No event ${event} over a socket`);
  }

  /** Half-closes the connection and waits for the far end to end it, so that nothing is missed. */
  async rest(): Promise<string> {
    this.#stream.end();
    await this.closed();
    return this.#unread;
  }

  /** Waits until the far end has closed; gives what it said before. */
  async closed(): Promise<string> {
    await this.#until(() => this.#closed);
    return this.#unread;
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Makes the handshake as a client; rejects if it fails. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const plain = this.#stream.removeAllListeners('data').removeAllListeners('end') as Socket;
    const socket = connectTls({ socket: plain, ca: testCertificate.cert, servername: 'mx.example.test', ...options });
    this.#stream = socket;
    this.#listen();
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket;
  }

  #listen(): void {
    this.#stream.on('data', (octets: Buffer) => {
      this.#unread += octets.toString('utf8');
      this.#wake?.();
    });
    for (const event of ['end', 'error', 'close']) {
      this.#stream.on(event, () => {
        this.#closed = true;
        this.#wake?.();
      });
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#closed) throw new Error(`The connection is closed; unread is ${JSON.stringify(this.#unread)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The port of a listener. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port;
}
