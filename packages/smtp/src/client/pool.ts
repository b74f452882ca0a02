import { setMaxListeners } from 'node:events';
import { Failure } from '../failure/failure.ts';
import { AbortWatch } from '../net/abort-watch.ts';
import { type Alarm, Alarms } from '../net/alarms.ts';
import type { ClientConnection } from './connection.ts';
import { Job, type Patience } from './job.ts';
import type { Parcel } from './parcel.ts';
import type { SendResult } from './send-result.ts';

/** What a pool may use up. */
export interface PoolLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** Messages of one connection, before another is opened. */
  readonly messagesPerConnection: number;
  /** Milliseconds that a connection may be idle. */
  readonly idleTime: number;
  /** Messages that may wait for a connection. */
  readonly queue: number;
}

/** What holds where nothing else is said. */
export const defaultPoolLimits: PoolLimits = {
  connections: 5,
  messagesPerConnection: 1000,
  idleTime: 30_000,
  queue: 10_000,
};

/** Opens a connection. Rejects with Failure. */
export type OpenConnection = (signal: AbortSignal) => Promise<ClientConnection>;

interface Member {
  readonly connection: ClientConnection;
  started: number;
  idleSince: number;
}

/** How long no further connection is tried where one was refused while others stand, in milliseconds. */
const restAfterRefusal = 30_000;

/** Connections to one host that many messages share (RFC 5321 §4.5.4.1). */
export class Pool {
  readonly #open: OpenConnection;
  readonly #limits: PoolLimits;
  readonly #alarms = new Alarms();
  readonly #aborts = new AbortWatch();
  readonly #members = new Set<Member>();
  readonly #queue: Job[] = [];
  readonly #stop = new AbortController();
  #opening = 0;
  /** Until when the host is taken to allow no more connections than it has. */
  #fullUntil = 0;
  #sweep: Alarm | undefined;
  #closing: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(open: OpenConnection, limits: PoolLimits) {
    this.#open = open;
    this.#limits = limits;
    // Every connection that is being opened listens to it; Node takes more than ten for a leak.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Connections that stand or are being opened. */
  get connections(): number {
    return this.#members.size + this.#opening;
  }

  /** Whether it holds neither messages nor connections. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.connections === 0;
  }

  /** Sends a message. Rejects with Failure `limit` when too many wait, `aborted` when the pool is closed. */
  send(parcel: Parcel, patience: Patience): Promise<SendResult> {
    if (this.#closed !== undefined) return Promise.reject(new Failure('aborted', 'the client is closed'));
    if (this.#queue.length >= this.#limits.queue) {
      return Promise.reject(new Failure('limit', `${this.#queue.length} messages wait already`));
    }
    return new Promise((resolve) => {
      const job = new Job({ ...patience, parcel, alarms: this.#alarms, aborts: this.#aborts, done: resolve });
      if (job.finished) return;
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  /** Sends what waits, then says goodbye to each host. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#closing = resolve;
      this.#dispatch();
    }).then(() => this.#quitAll());
    return this.#closed;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      if (this.#queue[0]?.finished) {
        this.#queue.shift();
        continue;
      }
      const member = this.#pick();
      if (member === undefined) break;
      const job = this.#queue.shift();
      if (job !== undefined && !job.finished) this.#start(job, member);
    }
    this.#openMore();
    if (this.#closing !== undefined && this.#isDrained()) this.#closing();
  }

  /** A connection without work; if there can be no further one, also one that takes work ahead. */
  #pick(): Member | undefined {
    let second: Member | undefined;
    for (const member of this.#members) {
      const { connection } = member;
      if (!connection.usable || member.started >= this.#limits.messagesPerConnection) continue;
      if (connection.load === 0) return member;
      if (connection.load < connection.depth) second ??= member;
    }
    return this.#mayOpen() ? undefined : second;
  }

  #mayOpen(): boolean {
    const all = this.connections;
    return all < this.#limits.connections && (all === 0 || performance.now() >= this.#fullUntil);
  }

  #openMore(): void {
    while (this.#opening < this.#queue.length && this.#mayOpen()) {
      this.#opening += 1;
      void this.#openOne();
    }
  }

  async #openOne(): Promise<void> {
    try {
      this.#join(await this.#open(this.#stop.signal));
      this.#opening -= 1;
    } catch (error) {
      this.#opening -= 1;
      this.#takeRefusal(error instanceof Failure ? error : new Failure('lost', 'no connection', error));
    }
    this.#dispatch();
  }

  /** With other connections, standing or to come, the messages wait for those; without any, all that wait have the same failure. */
  #takeRefusal(failure: Failure): void {
    if (this.connections > 0) this.#fullUntil = performance.now() + restAfterRefusal;
    else for (const job of this.#queue.splice(0)) job.cancel(failure);
  }

  #join(connection: ClientConnection): void {
    const member = { connection, started: 0, idleSince: performance.now() };
    this.#members.add(member);
    connection.onOver = () => {
      this.#members.delete(member);
      this.#dispatch();
    };
    if (!connection.usable) connection.onOver();
    this.#rest(member);
  }

  #start(job: Job, member: Member): void {
    member.started += 1;
    const isTaken = job.start(member.connection, (step) => {
      if (step === 'done') job.finish();
      else if (!job.finished) this.#queue.unshift(job);
      this.#rest(member);
      this.#dispatch();
    });
    if (isTaken) return;
    // The host wants a new connection for more (RFC 9422 §3).
    member.started = Number.POSITIVE_INFINITY;
    this.#queue.unshift(job);
    this.#rest(member);
  }

  /** A connection that has nothing to do is used up, or waits for more. */
  #rest(member: Member): void {
    if (member.connection.load > 0 || !this.#members.has(member)) return;
    member.idleSince = performance.now();
    if (member.started >= this.#limits.messagesPerConnection) this.#retire(member);
    else this.#sweep ??= this.#alarms.set(this.#limits.idleTime, this.#onSweep);
  }

  #retire(member: Member): void {
    this.#members.delete(member);
    void member.connection.quit();
  }

  readonly #onSweep = (): void => {
    this.#sweep = undefined;
    const since = performance.now() - this.#limits.idleTime;
    let oldest = Number.POSITIVE_INFINITY;
    for (const member of this.#members) {
      if (member.connection.load > 0) continue;
      if (member.idleSince <= since) this.#retire(member);
      else oldest = Math.min(oldest, member.idleSince);
    }
    if (oldest !== Number.POSITIVE_INFINITY) this.#sweep = this.#alarms.set(oldest - since, this.#onSweep);
  };

  #isDrained(): boolean {
    return this.#queue.length === 0 && [...this.#members].every(({ connection }) => connection.load === 0);
  }

  async #quitAll(): Promise<void> {
    // What is still being opened is not needed any more.
    this.#stop.abort();
    this.#alarms.clearAll();
    await Promise.all([...this.#members].map(({ connection }) => connection.quit()));
  }
}
