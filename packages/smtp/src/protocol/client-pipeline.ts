import { isPositive, type Reply } from '../reply/reply.ts';
import type { Capabilities } from './client-capabilities.ts';
import { ClientFeed } from './client-feed.ts';
import type { Host } from './client-lack.ts';
import type { ClientOutput } from './client-output.ts';
import { applyReply, isOutOfStep, isPointless } from './client-reply.ts';
import { chunkLine, planTransaction, type Step } from './client-step.ts';
import { stuffDots } from './client-text.ts';
import type { ClientTimeouts, Phase } from './client-timeouts.ts';
import type { ClientTransaction, Ending } from './client-transaction.ts';
import { SessionUse } from './session-use.ts';
import { StepList } from './step-list.ts';

/*
 * Without PIPELINING the two cursors of the steps never part by more than one. With it a group runs up to a step that
 * closes it; and since text may begin a group (RFC 2920 §3.1), the dot of one message and the MAIL, RCPT and DATA of the
 * next go out together. Steps are planned when the transaction's turn comes, so what has not begun is never half done.
 */

/** What the pipeline tells: a command's reply, a transaction that wants its next piece of text, one that is done. */
export type PipelineEvent =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'text' | 'done'; readonly transaction: ClientTransaction };

/** Why nothing can follow a reply. */
export type Halt = 'bye' | 'unasked reply' | 'reply out of step';

/** How many transactions may be under way at once; each that is unanswered when the connection breaks may be doubled. */
const window = 4;

const lastDot = Buffer.from('.\r\n');

/** The commands and texts of one session in their order (RFC 2920 §3.1). */
export class ClientPipeline {
  readonly use = new SessionUse();
  /** When the wait for the next reply, or for room to write, began. */
  since = 0;
  readonly #lmtp: boolean;
  readonly #output: ClientOutput;
  readonly #clock: () => number;
  readonly #emit: (event: PipelineEvent) => void;
  #host: Host | undefined;
  readonly #steps = new StepList();
  readonly #waiting: ClientTransaction[] = [];
  readonly #running: ClientTransaction[] = [];
  /** Whether the host may still hold a transaction open. */
  #open = false;
  #feed: ClientFeed | undefined;

  constructor(options: {
    readonly lmtp: boolean;
    readonly output: ClientOutput;
    readonly clock: () => number;
    readonly emit: (event: PipelineEvent) => void;
  }) {
    this.#lmtp = options.lmtp;
    this.#output = options.output;
    this.#clock = options.clock;
    this.#emit = options.emit;
  }

  /** Transactions that are not done. */
  get load(): number {
    return this.#waiting.length + this.#running.length;
  }

  /** Lets steps go out: the session is set up. */
  begin(host: Host): void {
    this.#host = host;
    this.use.limits = host.capabilities.limits;
    this.#fill();
  }

  /** Puts a transaction behind all others. */
  submit(transaction: ClientTransaction): void {
    this.#waiting.push(transaction);
    this.#fill();
  }

  /** Puts a step behind those that are planned. */
  add(step: Step): void {
    this.#steps.add(step);
    this.#fill();
  }

  /** Takes the next reply; says so if it ends the session. */
  take(reply: Reply): Halt | undefined {
    if (this.#feed !== undefined) return this.#takeEarly(this.#feed, reply);
    const step = this.#steps.awaited;
    if (step === undefined) return 'unasked reply';
    // Replies and commands have lost each other.
    if (isOutOfStep(step, reply)) return 'reply out of step';
    if (step.kind === 'quit') return 'bye';
    return this.#apply(step, reply);
  }

  /** Sends the next piece of the text that was asked for, or its end; says so if the session cannot go on with it. */
  feed(piece: Buffer | undefined): Halt | undefined {
    const feed = this.#feed;
    if (feed === undefined) return undefined;
    this.since = this.#clock();
    if (piece !== undefined) {
      feed.write(piece);
      if (feed.hungry) this.#emit({ kind: 'text', transaction: feed.transaction });
      return undefined;
    }
    if (!feed.end()) return 'reply out of step';
    this.#feed = undefined;
    this.#steps.sent();
    this.#fill();
    return undefined;
  }

  /** Asks for the next piece: the last one is written. A chunk is written when its reply has come. */
  drained(): void {
    if (this.#feed !== undefined && !this.#feed.chunked && !this.#feed.hungry) this.#ask(this.#feed);
  }

  /** Takes a transaction back; false when some of it is out. */
  withdraw(transaction: ClientTransaction): boolean {
    const place = this.#waiting.indexOf(transaction);
    if (place === -1) return false;
    this.#waiting.splice(place, 1);
    return true;
  }

  /** The first transaction that has begun and is not done. */
  get head(): ClientTransaction | undefined {
    return this.#running[0];
  }

  /** What is awaited of the host; undefined when nothing is. */
  get wait(): keyof ClientTimeouts | undefined {
    if (this.#feed !== undefined) return this.#feed.hungry ? undefined : 'block';
    return this.#steps.awaited?.wait;
  }

  /** The step at which the first transaction stands. */
  get phase(): Phase {
    const wait = this.#feed === undefined ? this.#steps.first?.wait : 'text';
    return wait === 'rcpt' || wait === 'data' || wait === 'text' ? wait : 'mail';
  }

  /** Ends all that is not done; a reply decides for every recipient of what has begun. */
  end(why: Ending, reply: Reply | undefined): void {
    let { phase } = this;
    let ending = why;
    this.#feed = undefined;
    for (const transaction of this.#running.splice(0)) {
      transaction.phase = phase;
      if (reply !== undefined) transaction.answerAll({ kind: 'deferred', phase, reply });
      this.#close(transaction, ending);
      phase = 'mail';
      // Only the first is ever aborted: to those behind it the connection is lost.
      if (why === 'aborted') ending = 'lost';
    }
    for (const transaction of this.#waiting.splice(0)) this.#close(transaction, ending);
    this.#steps.clear();
  }

  /** Sends all that may go out now. */
  #fill(): void {
    while (this.#host !== undefined && this.#feed === undefined) {
      const step = this.#steps.next ?? this.#plan(this.#host);
      if (step === undefined || !this.#maySend(step)) return;
      if (this.#steps.isIdle && isPointless(step)) this.#pass(step);
      else this.#send(step);
    }
  }

  #maySend(step: Step): boolean {
    return this.#steps.isIdle || (!step.awaitsReplies && this.#isGroupOpen());
  }

  #isGroupOpen(): boolean {
    return this.#host?.capabilities.offered.has('PIPELINING') === true && this.#steps.last?.closesGroup === false;
  }

  /** Plans the next transaction, if it may begin now: its first step. */
  #plan(host: Host): Step | undefined {
    if (this.#running.length >= window || !(this.#steps.isIdle || this.#isGroupOpen())) return undefined;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const isReady = next.prepare(host, this.#clock());
      if (isReady && this.use.admits(next.request.recipients)) return this.#start(next, host.capabilities);
      this.#close(next, isReady ? 'spent' : undefined);
    }
    return undefined;
  }

  #start(transaction: ClientTransaction, { offered }: Capabilities): Step | undefined {
    this.use.count(transaction.request.recipients);
    this.#running.push(transaction);
    // Behind the dot nothing stays open, whatever the reply is; behind a chunk something does if the reply is negative.
    const reset = this.#steps.isIdle ? this.#open : this.#steps.last?.kind !== 'text';
    this.#steps.add(...planTransaction(transaction, offered, reset));
    return this.#steps.next;
  }

  #send(step: Step): void {
    const { transaction } = step;
    if (transaction !== undefined) transaction.begun = true;
    if (step.kind === 'text' || step.kind === 'chunk') {
      if (transaction === undefined || this.#sendText(step, transaction)) return;
    } else this.#output.line(step.line);
    if (this.#steps.isIdle) this.since = this.#clock();
    this.#steps.sent();
  }

  /** Whether the text is going to come in pieces. */
  #sendText(step: Step, transaction: ClientTransaction): boolean {
    const { text, accepted, offset } = transaction;
    const chunked = step.kind === 'chunk';
    if (transaction.named) transaction.unfinished = accepted;
    if (text === undefined && accepted.length > 0) {
      this.#feed = new ClientFeed(transaction, chunked, this.#output);
      this.#emit({ kind: 'text', transaction });
      return true;
    }
    if (chunked) {
      this.#output.line(offset === 0 || text === undefined ? step.line : chunkLine(text.length - offset));
      this.#output.octets(text?.subarray(offset) ?? Buffer.alloc(0));
      return false;
    }
    // Without a recipient the lone dot closes what the host should not have opened (RFC 2920 §3.1).
    if (text !== undefined && accepted.length > 0) this.#output.octets(stuffDots(text.subarray(offset), true));
    this.#output.octets(lastDot);
    return false;
  }

  #apply(step: Step, reply: Reply): Halt | undefined {
    const { transaction } = step;
    if (transaction === undefined) this.#emit({ kind: 'reply', reply });
    else {
      transaction.answered = true;
      if (step.kind === 'text' || step.kind === 'chunk') transaction.unfinished = [];
      const effect = applyReply(step, transaction, { reply, lmtp: this.#lmtp });
      if (effect === 'reply out of step') return effect;
      this.#open = effect.open ?? this.#open;
      if (step.ends && transaction.accepted.length > 0) return undefined;
    }
    this.#steps.answered();
    this.#finish(step);
    this.#fill();
    return undefined;
  }

  /** A reply while text goes out: to a chunk, or from a host that does not wait for the end. */
  #takeEarly(feed: ClientFeed, reply: Reply): Halt | undefined {
    feed.transaction.answered = true;
    if (feed.chunked && !feed.hungry && isPositive(reply)) {
      this.#ask(feed);
      return undefined;
    }
    if (reply.code >= 400) {
      feed.transaction.unfinished = [];
      feed.transaction.answerAccepted('text', reply);
    }
    if (!feed.chunked || feed.hungry || reply.code < 400) return 'unasked reply';
    this.#feed = undefined;
    const step = this.#steps.next;
    if (step !== undefined) this.#pass(step);
    this.#fill();
    return undefined;
  }

  #ask(feed: ClientFeed): void {
    feed.hungry = true;
    this.#emit({ kind: 'text', transaction: feed.transaction });
  }

  /** Leaves a step out. */
  #pass(step: Step): void {
    this.#steps.answered();
    this.#steps.sent();
    this.#finish(step);
  }

  /** Goes on behind a step. */
  #finish(step: Step): void {
    this.since = this.#clock();
    if (step.ends && step.transaction !== undefined) {
      this.#running.shift();
      this.#close(step.transaction, undefined);
    }
    this.#steps.tidy();
  }

  #close(transaction: ClientTransaction, ending: Ending | undefined): void {
    transaction.ending = ending;
    this.#emit({ kind: 'done', transaction });
  }
}
