import type { Duplex } from 'node:stream';
import { connectClient } from '@posthorn/smtp/client/connect-client';
import type { ClientConnection } from '@posthorn/smtp/client/connection';
import type { Patience } from '@posthorn/smtp/client/job';
import type { Parcel } from '@posthorn/smtp/client/parcel';
import { Pool } from '@posthorn/smtp/client/pool';
import type { SendResult } from '@posthorn/smtp/client/send-result';
import { Failure } from '@posthorn/smtp/failure/failure';

/** How a session over a stream begins. */
export interface OnlyConnectionOptions {
  /** Domain or literal for EHLO. */
  readonly name: string;
  /** Ends the wait for the host's greeting and its reply to EHLO. */
  readonly signal: AbortSignal;
  /** Messages that are given to it at a time, at most. */
  readonly queue: number;
  /** Whether the stream is within TLS, and the other end has shown who it is. */
  readonly isPrivate: boolean;
}

/** A session over a stream that something else has opened: when it is over there is no other. */
export class OnlyConnection {
  readonly #connection: ClientConnection;
  readonly #pool: Pool;

  private constructor(connection: ClientConnection, queue: number) {
    this.#connection = connection;
    let left: ClientConnection | undefined = connection;
    const open = async () => {
      if (left === undefined) throw new Failure('lost', 'the connection is over, and there is no other');
      const only = left;
      left = undefined;
      return only;
    };
    const endless = Number.MAX_SAFE_INTEGER;
    this.#pool = new Pool(open, { connections: 1, messagesPerConnection: endless, idleTime: 60_000, queue });
  }

  /** Waits for the greeting, and says EHLO; rejects with Failure. The stream is closed with the session, or without it. */
  static async open(
    stream: Duplex,
    { name, signal, queue, isPrivate }: OnlyConnectionOptions,
  ): Promise<OnlyConnection> {
    const privacy = isPrivate ? 'verified' : 'clear';
    const connect = { socketFactory: () => stream, privacy, host: 'the other end', tls: 'none', name } as const;
    return new OnlyConnection(await connectClient(connect, signal), queue);
  }

  /** Whether messages can still be sent. */
  get usable(): boolean {
    return this.#connection.usable;
  }

  /** Sends a message; whatever happens is a result per recipient. */
  async send(parcel: Parcel, patience: Patience): Promise<SendResult> {
    try {
      return await this.#pool.send(parcel, patience);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      parcel.giveUp(error);
      return parcel.result();
    }
  }

  /** QUIT behind what is under way (RFC 5321 §4.1.1.10). */
  async close(): Promise<void> {
    await this.#pool.close();
    // A pool that had nothing to send never had it.
    await this.#connection.quit();
  }
}
