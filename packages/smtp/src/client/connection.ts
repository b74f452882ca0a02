import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.ts';
import { ClientDriver } from '../net/client-driver.ts';
import type { Capabilities } from '../protocol/client-capabilities.ts';
import { type ClientEvent, ClientSession, type ClientSessionOptions } from '../protocol/client-session.ts';
import type { ClientTransaction, TransactionRequest } from '../protocol/client-transaction.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { isPositive, type Reply } from '../reply/reply.ts';
import type { BindingOf } from '../sasl/channel.ts';
import { describeEnd, describeRefusal } from './describe-end.ts';
import { feedPieces } from './feed-pieces.ts';
import type { TextSource } from './text-source.ts';

/** A socket behind its handshake. */
export interface Secured {
  readonly socket: Duplex;
  /** Whether the certificate is trusted and for the host. */
  readonly verified: boolean;
  /** What names the TLS connection (RFC 5802 §6). */
  readonly binding?: BindingOf;
}

/** What a connection is made of. */
export interface ConnectionOptions extends Omit<ClientSessionOptions, 'clock'> {
  readonly socket: Duplex;
  /** The far side in words. */
  readonly target: string;
  /** Puts the socket inside TLS, behind STARTTLS. */
  readonly handshake: (socket: Duplex) => Promise<Secured>;
}

/** What ATRN or TURN came to. */
export interface Turned {
  readonly reply: Reply;
  /**
   * Present if the reply is positive: the other end is the client now, and waits for a greeting. The stream is paused;
   * `Server.acceptStream` serves it (RFC 2645 §5.3).
   */
  readonly stream?: Duplex;
}

type Over = Extract<ClientEvent, { kind: 'over' }>;
type Refused = Extract<ClientEvent, { kind: 'refused' }>;

interface Running {
  readonly text: Pick<TextSource, 'open'>;
  readonly done: (transaction: ClientTransaction) => void;
  pieces?: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
}

/** A session on a socket that carries transactions, as many at a time as the host lets it. */
export class ClientConnection {
  /** Set when the connection is over, with the reason. */
  failure: Failure | undefined;
  /** Transactions that were answered to their end. */
  completed = 0;
  /** Called once when the connection is over. */
  onOver: (() => void) | undefined;
  readonly #session: ClientSession;
  readonly #driver: ClientDriver<ClientEvent>;
  readonly #options: ConnectionOptions;
  readonly #running = new Map<ClientTransaction, Running>();
  readonly #replies: ((reply: Reply | Failure) => void)[] = [];
  #settleReady: ((failure?: Failure) => void) | undefined;
  #settleOver: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    const clock = () => performance.now();
    this.#options = options;
    this.#session = new ClientSession({ ...options, clock });
    this.#driver = new ClientDriver({
      socket: options.socket,
      session: this.#session,
      clock,
      onEvent: (event) => this.#handle(event),
    });
  }

  /** Resolves when messages can be sent; rejects with ConnectionFailure when the host does not let it come to that. */
  setUp(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.drop('aborted');
      this.#settleReady = (failure) => {
        signal?.removeEventListener('abort', onAbort);
        this.#settleReady = undefined;
        if (failure === undefined) resolve();
        else reject(failure);
      };
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else this.#driver.pump();
    });
  }

  get capabilities(): Capabilities {
    return this.#session.setup.capabilities;
  }

  get greeting(): Reply | undefined {
    return this.#session.setup.greeting;
  }

  get privacy(): ClientSession['setup']['privacy'] {
    return this.#session.setup.privacy;
  }

  /** The stream that it runs on now; a TLSSocket within TLS. */
  get socket(): Duplex {
    return this.#driver.socket;
  }

  /** Whether it takes another transaction. */
  get usable(): boolean {
    return this.#session.ready;
  }

  /** Transactions that are not done. */
  get load(): number {
    return this.#session.load;
  }

  /** How many transactions can be given to it at a time without one waiting for another's replies. */
  get depth(): number {
    return this.capabilities.offered.has('PIPELINING') ? 2 : 1;
  }

  /** How many of the first recipients one transaction may have now; 0: the host wants a new connection (RFC 9422 §3). */
  portion(recipients: Transaction['recipients']): number {
    return this.#session.portion(recipients);
  }

  /** Sends a message; `done` is called exactly once, maybe before this returns. */
  transact(
    request: TransactionRequest,
    text: Pick<TextSource, 'open'>,
    done: (transaction: ClientTransaction) => void,
  ): ClientTransaction {
    const transaction = this.#session.submit(request);
    this.#running.set(transaction, { text, done });
    this.#driver.pump();
    return transaction;
  }

  /** Gives a transaction up. */
  abort(transaction: ClientTransaction): void {
    this.#session.abort(transaction);
    this.#driver.pump();
  }

  /** The reply to a command outside of transactions. Rejects with ConnectionFailure. */
  command(line: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (!this.usable) {
        reject(this.failure ?? new Failure('lost', `the connection to ${this.#options.target} is closed`));
        return;
      }
      this.#replies.push((result) => (result instanceof Failure ? reject(result) : resolve(result)));
      this.#session.command(line);
      this.#driver.pump();
    });
  }

  /** The reply to ATRN or TURN, and the stream if that is positive. Rejects with Failure (RFC 2645 §5.3). */
  turn(line: string): Promise<Turned> {
    return new Promise((resolve, reject) => {
      if (!this.usable || this.load > 0) {
        reject(this.failure ?? new Failure('invalid', 'a connection is reversed only when nothing is under way'));
        return;
      }
      this.#replies.push((result) => {
        if (result instanceof Failure) reject(result);
        else resolve(isPositive(result) ? { reply: result, stream: this.#release() } : { reply: result });
      });
      this.#session.command(line, 'turn');
      this.#driver.pump();
    });
  }

  /** Says QUIT behind what is under way and waits for its reply (RFC 5321 §4.1.1.10). */
  quit(): Promise<void> {
    if (this.failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = this.#settleOver;
      this.#settleOver = () => {
        settle?.();
        resolve();
      };
      if (settle === undefined) this.#session.quit();
      this.#driver.pump();
    });
  }

  /** Drops the connection with all that is under way. */
  drop(why: 'lost' | 'aborted'): void {
    this.#session.drop(why);
    this.#driver.pump();
  }

  #release(): Duplex {
    const stream = this.#driver.release();
    this.#driver.error = new Failure('aborted', 'the connection was reversed, and belongs to somebody else');
    this.#session.drop('aborted');
    return stream;
  }

  #handle(event: ClientEvent): void {
    switch (event.kind) {
      case 'ready':
        this.#settleReady?.();
        break;
      case 'handshake':
        void this.#secure();
        break;
      case 'refused':
        this.#refuse(event);
        break;
      case 'reply':
        this.#replies.shift()?.(event.reply);
        break;
      case 'text':
        this.#feed(event.transaction);
        break;
      case 'done':
        this.#finish(event.transaction);
        break;
      default:
        this.#end(event);
    }
  }

  async #secure(): Promise<void> {
    try {
      const { socket, verified, binding } = await this.#options.handshake(this.#driver.detach());
      this.#driver.attach(socket);
      this.#session.secured(verified, binding);
    } catch (error) {
      this.#driver.error = error;
      this.#session.drop('lost');
    }
    this.#driver.pump();
  }

  /** The host says no: it still hears a goodbye, but nobody waits for its answer. */
  #refuse(event: Refused): void {
    this.#settleReady?.(describeRefusal(this.#options.target, event));
    this.#session.quit();
  }

  #feed(transaction: ClientTransaction): void {
    const running = this.#running.get(transaction);
    if (running === undefined) return;
    try {
      running.pieces ??= running.text.open();
    } catch (error) {
      this.#breakOff(error);
      return;
    }
    feedPieces(running.pieces, {
      piece: (bytes) => this.#session.feed(transaction, bytes),
      failed: (error) => this.#breakOff(error),
      // Behind a wait nobody else looks at the session.
      later: () => this.#driver.pump(),
    });
  }

  /** The text cannot be had to its end: the host must not take what it has for the whole (RFC 5321 §3.3). */
  #breakOff(error: unknown): void {
    const kind = error instanceof Failure ? error.kind : 'aborted';
    this.#driver.error = new Failure(kind, 'the text of the message broke off', error);
    this.#session.drop('aborted');
  }

  #finish(transaction: ClientTransaction): void {
    const running = this.#running.get(transaction);
    this.#running.delete(transaction);
    if (transaction.ending === undefined) this.completed += 1;
    if (running?.pieces?.return !== undefined) void closePieces(running.pieces);
    running?.done(transaction);
  }

  #end(event: Over): void {
    this.failure = describeEnd(this.#options.target, event, this.#driver.error);
    this.#driver.destroy();
    this.#settleReady?.(this.failure);
    for (const settle of this.#replies.splice(0)) settle(this.failure);
    this.onOver?.();
    this.#settleOver?.();
  }
}

async function closePieces(pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>): Promise<void> {
  try {
    await pieces.return?.();
  } catch {
    // The text is done with; whatever its source has to say at the end changes nothing.
  }
}
