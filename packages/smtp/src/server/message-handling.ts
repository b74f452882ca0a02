import { Failure } from '../failure/failure.ts';
import { serverReply } from '../protocol/server-reply.ts';
import type { TextCommand } from '../protocol/transaction.ts';
import { isPositive, type Reply } from '../reply/reply.ts';
import type { FinalReplies } from './handlers.ts';
import { type IncomingText, TextQueue } from './incoming-text.ts';

/** One message on its way to its handler. */
export interface MessageHandlingOptions {
  run(text: IncomingText): FinalReplies;
  /** Replies that are owed. */
  readonly recipients: number;
  readonly by: TextCommand;
  /** Tells of an exception, and gives the reply it earns. */
  explain(error: unknown): Reply;
}

/** Runs the handler of one message, feeds it, and hands out its replies one by one. */
export class MessageHandling {
  /** Resolves when the handler has done all it does. Never rejects. */
  readonly settled: Promise<void>;
  readonly #text: TextQueue;
  readonly #replies: Reply[] = [];
  readonly #options: MessageHandlingOptions;
  #over = false;
  /** Wakes whoever waits for the next reply. */
  #wake: (() => void) | undefined;

  constructor(options: MessageHandlingOptions) {
    this.#options = options;
    this.#text = new TextQueue(options.by);
    this.settled = this.#run();
  }

  /** Puts a piece of the text in; a promise says when there is room for the next. */
  push(piece: Buffer): Promise<undefined> | undefined {
    return this.#text.push(piece);
  }

  /** Why no more of the text is wanted, if the handler has said so. */
  refusal(): Reply | undefined {
    const [first] = this.#replies;
    return first === undefined || isPositive(first) ? undefined : first;
  }

  /** Ends the text, and gives the reply for a recipient by its index; a refused text waits for the handler all the same. */
  async conclude(recipient: number, refused: Reply | undefined): Promise<Reply> {
    if (refused !== undefined) {
      this.fail(new Failure(refused === serverReply.tooBig ? 'limit' : 'invalid', refused.lines.join(' ')));
      await this.settled;
      return refused;
    }
    this.#text.end();
    while (this.#replies[recipient] === undefined && !this.#over) await this.#next();
    return this.#replies[recipient] ?? serverReply.failed;
  }

  /** The handler is waited for no longer. */
  giveUp(): void {
    this.#text.giveUp(new Failure('timeout', 'The message handler took too long'));
    this.#fill(serverReply.failed);
    this.#finish();
  }

  /** The text has no end. */
  fail(failure: Failure): void {
    this.#text.fail(failure);
  }

  async #run(): Promise<void> {
    try {
      const result = this.#options.run(this.#text);
      if (isIterable(result)) for await (const reply of result) this.#add(reply);
      else this.#addAll(await result);
    } catch (error) {
      const isOurs = this.#text.isCause(error);
      this.#fill(isOurs ? serverReply.failed : this.#options.explain(error));
    }
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#text.discard();
    this.#wake?.();
  }

  #addAll(result: Reply | readonly Reply[]): void {
    if (isList(result)) for (const reply of result) this.#add(reply);
    else this.#fill(result);
  }

  #fill(reply: Reply): void {
    while (this.#replies.length < this.#options.recipients) this.#add(reply);
  }

  #add(reply: Reply): void {
    this.#replies.push(reply);
    this.#wake?.();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function isIterable(result: FinalReplies): result is AsyncIterable<Reply> {
  return Symbol.asyncIterator in result;
}

function isList(result: Reply | readonly Reply[]): result is readonly Reply[] {
  return Array.isArray(result);
}
