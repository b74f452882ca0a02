import type { Reply } from '../reply/reply.ts';
import { type Garbage, ReplyReader } from '../reply/reply-reader.ts';
import type { BindingOf } from '../sasl/channel.ts';
import { eightBitLack } from './client-lack.ts';
import { ClientOutput } from './client-output.ts';
import { ClientPipeline, type Halt, type PipelineEvent } from './client-pipeline.ts';
import { ClientSetup, type Privacy, type SetupOptions, type SetupStep } from './client-setup.ts';
import { commandStep, quitStep } from './client-step.ts';
import type { ClientTimeouts, Phase } from './client-timeouts.ts';
import { ClientTransaction, type Ending, type TransactionRequest } from './client-transaction.ts';

/** What a session is made for. */
export interface ClientSessionOptions extends SetupOptions {
  readonly privacy: Privacy;
  readonly timeouts: ClientTimeouts;
  /** Milliseconds that only ever grow. */
  readonly clock: () => number;
}

/** What a session tells. Behind `handshake` nothing is read until `secured`; behind `over` only what is left is `done`. */
export type ClientEvent =
  | Exclude<SetupStep, { readonly kind: 'send' }>
  | PipelineEvent
  | {
      readonly kind: 'over';
      /** `bye`: QUIT was answered. */
      readonly why: Ending | 'bye';
      readonly phase: Phase;
      /** What was wrong with what the host sent. */
      readonly garbage?: Garbage | Halt;
      /** The last reply, if one ended it. */
      readonly reply?: Reply;
    };

/**
 * The client's side of one session, without a socket: octets of the host go in by `receive`, events come out by `next`,
 * octets for the host by `takeOutput` (RFC 5321 §3).
 */
export class ClientSession {
  readonly setup: ClientSetup;
  readonly #timeouts: ClientTimeouts;
  readonly #clock: () => number;
  readonly #reader = new ReplyReader();
  readonly #output = new ClientOutput();
  readonly #events: ClientEvent[] = [];
  readonly #pipeline: ClientPipeline;
  #stage: 'setup' | 'handshake' | 'refused' | 'ready' | 'over' = 'setup';
  #since: number;

  constructor(options: ClientSessionOptions) {
    this.#timeouts = options.timeouts;
    this.#clock = options.clock;
    this.#since = options.clock();
    this.setup = new ClientSetup(options, options.privacy);
    this.#pipeline = new ClientPipeline({
      lmtp: options.protocol === 'lmtp',
      output: this.#output,
      clock: options.clock,
      emit: (event) => this.#events.push(event),
    });
  }

  /** Whether messages can be given to it. */
  get ready(): boolean {
    return this.#stage === 'ready';
  }

  /** Transactions that are not done. */
  get load(): number {
    return this.#pipeline.load;
  }

  /** How many of the first recipients one transaction may have now; 0: the session has had all that the host allows. */
  portion(recipients: TransactionRequest['recipients']): number {
    return this.#pipeline.use.portion(recipients);
  }

  /** Takes in octets of the host. */
  receive(bytes: Buffer): void {
    if (this.#stage !== 'over') this.#reader.push(bytes);
  }

  /** The next event; undefined when there is nothing to do but to wait. */
  next(): ClientEvent | undefined {
    while (this.#events.length === 0 && this.#stage !== 'over' && this.#stage !== 'handshake') {
      const reply = this.#reader.next();
      if (reply === undefined) break;
      if (typeof reply === 'string') this.#end('protocol', { garbage: reply });
      else this.#take(reply);
    }
    return this.#events.shift();
  }

  /** Octets to write now; undefined when there are none. */
  takeOutput(): readonly Buffer[] | undefined {
    return this.#output.take();
  }

  /** Goes on inside TLS; what came before the handshake is dropped unread (RFC 3207 §4.2). */
  secured(verified: boolean, binding?: BindingOf): void {
    if (this.#stage !== 'handshake') return;
    this.#reader.clear();
    this.#stage = 'setup';
    this.#follow(this.setup.secured(verified, binding));
  }

  /** Puts a message into the line; `done` tells its end. */
  submit(request: TransactionRequest): ClientTransaction {
    const transaction = new ClientTransaction(request, request.since ?? this.#clock());
    if (this.#stage === 'setup' || this.#stage === 'ready' || this.#stage === 'handshake') {
      this.#pipeline.submit(transaction);
    } else {
      transaction.ending = 'lost';
      this.#events.push({ kind: 'done', transaction });
    }
    return transaction;
  }

  /** Sends a command that is no part of a transaction, without CRLF; `reply` brings its reply (RFC 5321 §4.1.1). */
  command(line: string, wait: 'command' | 'turn' = 'command'): void {
    if (this.#stage !== 'over') this.#pipeline.add(commandStep(line, wait));
  }

  /** Says goodbye behind all that is under way (RFC 5321 §4.1.1.10). */
  quit(): void {
    if (this.#stage === 'over') return;
    if (this.#stage === 'refused') this.#pipeline.begin(this.setup);
    this.#pipeline.add(quitStep);
  }

  /** Sends the next piece of the text that `text` asked for; undefined ends it. */
  feed(transaction: ClientTransaction, piece: Buffer | undefined): void {
    if (this.#pipeline.head !== transaction) return;
    if (piece !== undefined && !this.#mayCarry(transaction, piece)) {
      transaction.answerAll({ kind: 'refused', phase: 'text', refusal: eightBitLack });
      this.#end('aborted');
      return;
    }
    const halt = this.#pipeline.feed(piece);
    if (halt !== undefined) this.#end('protocol', { garbage: halt });
  }

  /** Says that the connection has taken the last piece. */
  drained(): void {
    this.#pipeline.drained();
  }

  /** Gives a transaction up: at once if nothing of it is out, else with the connection, as soon as nothing is before it. */
  abort(transaction: ClientTransaction): void {
    if (this.#pipeline.withdraw(transaction)) {
      transaction.ending = 'aborted';
      this.#events.push({ kind: 'done', transaction });
      return;
    }
    transaction.aborted = true;
    if (this.#pipeline.head === transaction) this.#end('aborted');
  }

  /** When the host has been silent for too long, by the clock; undefined when nothing is awaited of it. */
  deadline(): number | undefined {
    if (this.#stage === 'setup' || this.#stage === 'handshake') {
      return this.#since + this.#timeouts[this.setup.phase];
    }
    const { wait, since } = this.#pipeline;
    return wait === undefined || this.#stage === 'over' ? undefined : since + this.#timeouts[wait];
  }

  /** Ends the session if its deadline has passed. */
  expire(now: number): void {
    const deadline = this.deadline();
    if (deadline !== undefined && deadline <= now) this.#end('timeout');
  }

  /** Ends the session: the connection is gone, or is to be dropped. */
  drop(why: 'lost' | 'aborted'): void {
    this.#end(why);
  }

  #take(reply: Reply): void {
    // 421 may come at any time and ends the session (RFC 5321 §3.8); as greeting or reply to EHLO it is one refusal of many.
    if (this.#stage === 'setup') this.#follow(this.setup.answer(reply));
    else if (reply.code === 421) this.#end('shut down', { reply });
    else {
      const halt = this.#pipeline.take(reply);
      if (halt === 'bye') this.#end('bye', { reply });
      else if (halt !== undefined) this.#end('protocol', { garbage: halt, reply });
      else if (this.#pipeline.head?.aborted) this.#end('aborted');
    }
  }

  #follow(step: SetupStep): void {
    this.#since = this.#clock();
    if (step.kind === 'send') {
      this.#output.line(step.line);
      return;
    }
    this.#stage = step.kind;
    this.#events.push(step);
    if (step.kind === 'ready') this.#pipeline.begin(this.setup);
    if (step.kind === 'refused') this.#pipeline.end('lost', undefined);
  }

  #mayCarry(transaction: ClientTransaction, piece: Buffer): boolean {
    return this.setup.capabilities.offered.has('8BITMIME') || transaction.isSevenBit(piece);
  }

  #end(why: Ending | 'bye', part: { readonly garbage?: Garbage | Halt; readonly reply?: Reply } = {}): void {
    if (this.#stage === 'over') return;
    const phase = this.#stage === 'ready' || this.#stage === 'refused' ? this.#pipeline.phase : this.setup.phase;
    this.#stage = 'over';
    this.#output.clear();
    this.#events.push({ kind: 'over', why, phase, ...part });
    this.#pipeline.end(why === 'bye' ? 'lost' : why, why === 'shut down' ? part.reply : undefined);
  }
}
