import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { type Client, type ClientOptions, createClient } from '../client/client.ts';
import { openConnection } from '../client/open-connection.ts';
import { defaultPoolLimits } from '../client/pool.ts';
import { Failure } from '../failure/failure.ts';
import type { ComposedMail, MailOptions } from './composed-mail.ts';
import { readEnvelope } from './read-envelope.ts';
import { readText } from './read-text.ts';
import { toSendError } from './send-error.ts';
import { type SentMessage, toSentMessage } from './sent-message.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

type Done<T> = (error: Error | null, result: T) => void;

/**
 * A transport for `nodemailer.createTransport`: Nodemailer composes, the client of this library sends, over connections that
 * it keeps. Errors are SendError; it emits `idle` when it can take more, and `close`.
 */
export class PosthornTransport extends EventEmitter {
  readonly name = 'Posthorn';
  readonly version = version;
  /** Nodemailer leaves it to the transport to end what an AbortSignal ends. */
  readonly supportsAbortSignal = true;
  readonly #options: ClientOptions;
  readonly #client: Client;
  /** Messages that may be under way before it counts as busy: two for each connection, so that none has to wait. */
  readonly #most: number;
  #underWay = 0;

  constructor(options: ClientOptions) {
    super();
    this.#options = options;
    this.#client = createClient(options);
    this.#most = 2 * (options.limits?.connections ?? defaultPoolLimits.connections);
    setImmediate(() => this.#tellIdle());
  }

  /** Sends a message that Nodemailer has composed. */
  send(mail: ComposedMail, done: Done<SentMessage>): void {
    this.#underWay += 1;
    const settle = (tell: () => void) => {
      this.#underWay -= 1;
      tell();
      this.#tellIdle();
    };
    // Nodemailer gives no result where there is an error, whatever its types say.
    const failed = (error: unknown) => settle(() => done(toSendError(error), undefined as never));
    this.#send(mail).then((sent) => settle(() => done(null, sent)), failed);
  }

  /** Whether more messages can be given to it without waiting in line. */
  isIdle(): boolean {
    return this.#underWay < this.#most;
  }

  verify(done: Done<true>): void;
  verify(): Promise<true>;
  /** Opens a connection, logs in and says goodbye. */
  verify(done?: Done<true>): Promise<true> | undefined {
    const verified = this.#verify();
    if (done === undefined) return verified;
    verified.then(
      () => done(null, true),
      (error: Error) => done(error, undefined as never),
    );
    return undefined;
  }

  /** Sends what is under way, ends all connections, and then emits `close`. */
  close(): void {
    const closed = () => this.emit('close');
    this.#client.close().then(closed, closed);
  }

  async #send(mail: ComposedMail): Promise<SentMessage> {
    const since = performance.now();
    const { signal, auth } = mail.data as MailOptions;
    if (auth !== undefined)
      throw new Failure('invalid', 'A message has no login of its own here: make a transport for each');
    const envelope = readEnvelope(mail);
    const text = await readText(mail.message.createReadStream());
    const result = await this.#client.send({ envelope, text }, { signal });
    return toSentMessage(mail, result, Math.round(performance.now() - since));
  }

  async #verify(): Promise<true> {
    try {
      const connection = await openConnection(this.#options);
      await connection.close();
      return true;
    } catch (error) {
      throw toSendError(error);
    }
  }

  #tellIdle(): void {
    if (this.isIdle()) this.emit('idle');
  }
}

/** Makes a transport for `nodemailer.createTransport`; nothing is opened before the first message. */
export function posthornTransport(options: ClientOptions): PosthornTransport {
  return new PosthornTransport(options);
}
