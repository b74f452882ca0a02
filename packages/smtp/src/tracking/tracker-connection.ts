import type { Duplex } from 'node:stream';
import { Failure, type FailureKind } from '../failure/failure.ts';
import type { MtqpClientEvent, MtqpClientSession, MtqpEnding } from '../mtqp/mtqp-client-session.ts';
import type { TrackingQuery } from '../mtqp/mtqp-command.ts';
import { type MtqpOptions, parseMtqpOptions } from '../mtqp/mtqp-options.ts';
import type { MtqpReply } from '../mtqp/mtqp-reply.ts';
import { ClientDriver } from '../net/client-driver.ts';
import { socketFailure } from '../net/socket-failure.ts';
import { parseTrackingStatus } from '../report/parse-tracking-status.ts';
import { describeMtqpReply } from './describe-mtqp-reply.ts';
import type { TrackAnswer, Tracker } from './tracker.ts';

/** What a connection is made of. */
export interface TrackerParts {
  readonly socket: Duplex;
  /** The far side in words. */
  readonly target: string;
  readonly session: MtqpClientSession;
  readonly clock: () => number;
  /** Puts the socket inside TLS. */
  readonly handshake: (socket: Duplex) => Promise<{ readonly socket: Duplex; readonly verified: boolean }>;
}

const endings: Readonly<Record<MtqpEnding, { readonly kind: FailureKind; readonly text: string }>> = {
  bye: { kind: 'lost', text: 'the session is over' },
  lost: { kind: 'lost', text: 'the connection was lost' },
  timeout: { kind: 'timeout', text: 'no answer in time' },
  protocol: { kind: 'protocol', text: 'the host does not speak the tracking query protocol' },
  aborted: { kind: 'aborted', text: 'aborted' },
};

/** Milliseconds that a goodbye may take. */
const goodbyeTime = 5_000;

/** A session on a socket. */
export class TrackerConnection implements Tracker {
  options: MtqpOptions = parseMtqpOptions([]);
  privacy: Tracker['privacy'] = 'clear';
  readonly #parts: TrackerParts;
  readonly #driver: ClientDriver<MtqpClientEvent>;
  readonly #answers: ((result: MtqpReply | Failure) => void)[] = [];
  #failure: Failure | undefined;
  #settleReady: ((failure?: Failure) => void) | undefined;
  #settleOver: (() => void) | undefined;

  constructor(parts: TrackerParts) {
    const { socket, session, clock } = parts;
    this.#parts = parts;
    this.#driver = new ClientDriver({ socket, session, clock, onEvent: (event) => this.#handle(event) });
  }

  /** Resolves when queries can be made; rejects with Failure. */
  setUp(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#drop();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#settleReady = (failure) => {
        this.#settleReady = undefined;
        if (failure === undefined) resolve();
        else {
          signal?.removeEventListener('abort', onAbort);
          reject(failure);
        }
      };
      this.#settleOver = () => signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else this.#driver.pump();
    });
  }

  track(query: TrackingQuery): Promise<TrackAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || !this.#parts.session.isReady) {
        reject(this.#failure ?? new Failure('lost', `the session with ${this.#parts.target} is over`));
        return;
      }
      this.#answers.push((result) => (result instanceof Failure ? reject(result) : resolve(answerOf(result))));
      this.#parts.session.track(query);
      this.#driver.pump();
    });
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    await new Promise<void>((resolve) => {
      const settle = this.#settleOver;
      // The host has said all that was asked of it: its goodbye is worth little time.
      const timer = setTimeout(() => this.#drop(), goodbyeTime + this.#answers.length * goodbyeTime);
      this.#settleOver = () => {
        clearTimeout(timer);
        settle?.();
        resolve();
      };
      this.#parts.session.quit();
      this.#driver.pump();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #drop(): void {
    this.#parts.session.drop('aborted');
    this.#driver.pump();
  }

  #handle(event: MtqpClientEvent): void {
    switch (event.kind) {
      case 'handshake':
        void this.#secure();
        break;
      case 'ready':
        this.options = event.options;
        this.#settleReady?.();
        break;
      case 'refused':
        this.#settleReady?.(new Failure('refused', `${this.#parts.target} says ${describeMtqpReply(event.reply)}`));
        void this.close();
        break;
      case 'reply':
        this.#answers.shift()?.(event.reply);
        break;
      default:
        this.#end(event.why);
    }
  }

  async #secure(): Promise<void> {
    const { handshake, session } = this.#parts;
    try {
      const { socket, verified } = await handshake(this.#driver.detach());
      this.#driver.attach(socket);
      this.privacy = verified ? 'verified' : 'encrypted';
      session.secured();
    } catch (error) {
      this.#driver.error = error;
      session.drop('lost');
    }
    this.#driver.pump();
  }

  #end(why: MtqpEnding): void {
    const { target } = this.#parts;
    const { kind, text } = endings[why];
    const { error } = this.#driver;
    this.#failure = error === undefined ? new Failure(kind, `${target}: ${text}`) : socketFailure(error, target);
    this.#driver.destroy();
    this.#settleReady?.(this.#failure);
    for (const settle of this.#answers.splice(0)) settle(this.#failure);
    this.#settleOver?.();
  }
}

/** A success without a report is none: the server may say so in as many words as it likes (RFC 3887 §4). */
function answerOf(reply: MtqpReply): TrackAnswer {
  const { lines } = reply;
  if (lines === undefined) return { kind: 'refused', reply };
  const reports = parseTrackingStatus(Buffer.from(`${lines.join('\r\n')}\r\n`));
  return reports.length === 0 ? { kind: 'refused', reply } : { kind: 'found', reports };
}
