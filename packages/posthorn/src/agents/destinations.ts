import { type ConnectOptions, connectClient } from '@posthorn/smtp/client/connect-client';
import type { ClientConnection } from '@posthorn/smtp/client/connection';
import type { Patience } from '@posthorn/smtp/client/job';
import type { Parcel } from '@posthorn/smtp/client/parcel';
import { Pool, type PoolLimits } from '@posthorn/smtp/client/pool';
import { ConnectionFailure, type SendResult } from '@posthorn/smtp/client/send-result';
import { Failure } from '@posthorn/smtp/failure/failure';
import { firstWord } from '@posthorn/smtp/protocol/client-capabilities';
import type { SessionObserver } from './tls-sessions.ts';

/** One address of a host, with all that decides which connections may be shared. */
export interface Destination {
  readonly connect: ConnectOptions;
  /** Equal for destinations that may share connections. */
  readonly key: string;
  /** Names that the host must not have: those of this host (RFC 5321 §3.6.3). */
  readonly ownNames: readonly string[];
  /** Sees what becomes of its sessions. */
  readonly observer?: SessionObserver;
}

/** A host that turned out to be this one (RFC 5321 §3.6.3). */
export class LoopFailure extends ConnectionFailure {}

/** How many destinations are remembered; without work the oldest go first. */
const mostDestinations = 2000;

interface Entry {
  /** As it was asked for last. */
  destination: Destination;
  readonly pool: Pool;
  /** Until when nothing is tried there. */
  deadUntil: number;
  failure: Failure | undefined;
}

/** Connections to all hosts that mail goes to, kept for the next message; hosts that do not answer are left alone for a while. */
export class Destinations {
  readonly #limits: PoolLimits;
  /** Milliseconds (RFC 5321 §4.5.4.1). */
  readonly #deadTime: number;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(limits: PoolLimits, deadTime: number) {
    this.#limits = limits;
    this.#deadTime = deadTime;
  }

  /** Sends a message, or says at once why the host was not reached the last time. */
  async send(destination: Destination, parcel: Parcel, patience: Patience): Promise<SendResult> {
    const entry = this.#entry(destination);
    if (entry.failure !== undefined && performance.now() < entry.deadUntil) return undone(parcel, entry.failure);
    try {
      return await entry.pool.send(parcel, patience);
    } catch (error) {
      if (error instanceof Failure) return undone(parcel, error);
      throw error;
    }
  }

  /** Leaves no host alone any more. */
  retryHosts(): void {
    for (const entry of this.#entries.values()) entry.failure = undefined;
  }

  /** Ends all connections behind what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ pool }) => pool.close()));
  }

  #entry(destination: Destination): Entry {
    const { key } = destination;
    const known = this.#entries.get(key);
    const entry = known ?? this.#create(destination);
    entry.destination = destination;
    if (known !== undefined) this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > mostDestinations) this.#forget();
    return entry;
  }

  #create(destination: Destination): Entry {
    const open = async (signal: AbortSignal) => {
      try {
        const connection = await openUnlessOwn(entry.destination, signal);
        entry.failure = undefined;
        return connection;
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure('lost', 'no connection', error);
        // Where other connections stand, the host only wants no more of them.
        if (failure.kind !== 'aborted' && entry.pool.connections <= 1) {
          entry.failure = failure;
          entry.deadUntil = performance.now() + this.#deadTime;
        }
        throw failure;
      }
    };
    const entry: Entry = { destination, pool: new Pool(open, this.#limits), deadUntil: 0, failure: undefined };
    return entry;
  }

  #forget(): void {
    for (const [key, { pool }] of this.#entries) {
      if (this.#entries.size <= mostDestinations) return;
      if (pool.isIdle) this.#entries.delete(key);
    }
  }
}

function undone(parcel: Parcel, failure: Failure): SendResult {
  parcel.giveUp(failure);
  return parcel.result();
}

async function openUnlessOwn(destination: Destination, signal: AbortSignal): Promise<ClientConnection> {
  const { connect, ownNames, observer } = destination;
  const connection = await connectClient(connect, signal).catch((error: unknown) => {
    observer?.failed(error);
    throw error;
  });
  observer?.opened(connection);
  const { greeting, capabilities } = connection;
  const names = [greeting === undefined ? '' : firstWord(greeting), capabilities.host];
  const own = names.find((name) => ownNames.includes(name.toLowerCase()));
  if (own === undefined) return connection;
  void connection.quit();
  throw new LoopFailure('refused', `the host calls itself ${own}, as this one does: a mail loop`, {
    phase: 'greeting',
  });
}
