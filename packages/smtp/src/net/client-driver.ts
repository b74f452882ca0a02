import type { Duplex } from 'node:stream';
import { dropUnread } from './hand-over.ts';

/** The client's side of a session of any protocol, as a driver pumps it. */
export interface DrivenSession<E> {
  receive(bytes: Buffer): void;
  next(): E | undefined;
  /** Octets to write now; undefined when there are none. */
  takeOutput(): readonly Buffer[] | undefined;
  /** The connection has taken what was last written. */
  drained(): void;
  /** When `expire` has something to do; undefined when nothing is awaited. */
  deadline(): number | undefined;
  expire(now: number): void;
  drop(why: 'lost'): void;
}

/** What a driver works with. */
export interface ClientDriverOptions<E> {
  readonly socket: Duplex;
  readonly session: DrivenSession<E>;
  readonly clock: () => number;
  readonly onEvent: (event: E) => void;
}

/**
 * Pumps a client's session: octets from the socket into it, events out of it, octets to the socket, and the time. One
 * timer serves the connection: it is set anew only for an earlier deadline, and looks again when it has run down.
 */
export class ClientDriver<E> {
  /** The error that ended the connection, if one did. */
  error: unknown;
  #socket: Duplex;
  readonly #session: DrivenSession<E>;
  readonly #clock: () => number;
  readonly #onEvent: (event: E) => void;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #pumping = false;
  #draining = false;
  #released = false;

  constructor({ socket, session, clock, onEvent }: ClientDriverOptions<E>) {
    this.#socket = socket;
    this.#session = session;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#attach(socket);
  }

  get socket(): Duplex {
    return this.#socket;
  }

  /** Stops reading, so that the socket can be put inside TLS. */
  detach(): Duplex {
    this.#socket.off('data', this.#onData).off('end', this.#onGone).off('close', this.#onGone);
    this.#socket.pause();
    return this.#socket;
  }

  /** Goes on with the secured socket. */
  attach(socket: Duplex): void {
    this.#socket = socket;
    this.#attach(socket);
  }

  /** Gives the socket away, stopped, without what it holds already; nothing that happens to it is told any more. */
  release(): Duplex {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#released = true;
    const socket = this.detach().off('drain', this.#onDrain);
    dropUnread(socket);
    return socket;
  }

  /** Works off what the session has to tell and to send; call it after each call to the session. */
  pump(): void {
    // An event's handler may give the session more to do: the loop below sees it.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      do {
        for (let event = this.#session.next(); event !== undefined; event = this.#session.next()) this.#onEvent(event);
      } while (this.#write());
    } finally {
      this.#pumping = false;
    }
    this.#setTimer();
  }

  /** Drops the connection and frees all it holds; one that was given away is another's. */
  destroy(): void {
    if (this.#released) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.detach().resume().destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#session.receive(bytes);
    this.pump();
  };

  readonly #onGone = (): void => {
    this.#session.drop('lost');
    this.pump();
  };

  readonly #onError = (error: unknown): void => {
    this.error ??= error;
    this.#onGone();
  };

  readonly #onDrain = (): void => {
    this.#draining = false;
    this.#session.drained();
    this.pump();
  };

  #attach(socket: Duplex): void {
    socket.on('error', this.#onError).on('data', this.#onData).on('end', this.#onGone).on('close', this.#onGone);
    socket.resume();
  }

  /** Writes what waits; true when that gave the session more to do. */
  #write(): boolean {
    const output = this.#session.takeOutput();
    if (output === undefined || this.#socket.destroyed) return false;
    const [first] = output;
    if (output.length === 1) this.#socket.write(first);
    else {
      this.#socket.cork();
      for (const piece of output) this.#socket.write(piece);
      this.#socket.uncork();
    }
    if (!this.#socket.writableNeedDrain) this.#session.drained();
    else if (!this.#draining) {
      this.#draining = true;
      this.#socket.once('drain', this.#onDrain);
    }
    return !this.#draining;
  }

  #setTimer(): void {
    const deadline = this.#session.deadline();
    if (deadline === undefined || deadline >= this.#wakesAt || this.#socket.destroyed) return;
    clearTimeout(this.#timer);
    this.#wakesAt = deadline;
    // Not exact to the millisecond, so that a wake-up never comes just too early.
    this.#timer = setTimeout(this.#onTime, Math.max(0, deadline - this.#clock()) + 1);
    this.#timer.unref();
  }

  readonly #onTime = (): void => {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#session.expire(this.#clock());
    this.pump();
  };
}
