import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.ts';
import type { Application } from '../net/application.ts';
import type { Answer } from '../protocol/server-answers.ts';
import type { ServerEvent } from '../protocol/server-event.ts';
import { serverReply } from '../protocol/server-reply.ts';
import { isSubmission } from '../protocol/server-rules.ts';
import type { TextCommand, Transaction } from '../protocol/transaction.ts';
import type { Reply } from '../reply/reply.ts';
import type { HandlerAnswer, ServerHandlers, TakeOver } from './handlers.ts';
import { MessageHandling } from './message-handling.ts';
import type { Session } from './session.ts';

type Decision = HandlerAnswer | Promise<HandlerAnswer>;

/** What is told when a handler throws, or a listener has trouble. */
export type ErrorListener<State> = (error: unknown, session?: Session<State>) => void;

/** A submission is answered within two minutes, the watch over deadlines included (RFC 6409 §5.3). */
const submissionTime = 118_000;

/** Leads the events of one session to the handlers, and their answers back. */
export class Conversation<State> implements Application {
  readonly answerTime: number;
  readonly #handlers: ServerHandlers<State>;
  readonly #session: Session<State>;
  readonly #onError: ErrorListener<State>;
  #message: MessageHandling | undefined;
  #takeOver: TakeOver | undefined;

  constructor(handlers: ServerHandlers<State>, session: Session<State>, onError: ErrorListener<State>) {
    this.#handlers = handlers;
    this.#session = session;
    this.#onError = onError;
    this.answerTime = isSubmission(session.role) ? submissionTime : Number.POSITIVE_INFINITY;
  }

  handle(event: ServerEvent): Answer | Promise<Answer> {
    switch (event.kind) {
      case 'text':
        return this.#message?.push(event.bytes);
      case 'message':
        return this.#begin(event.transaction, event.by);
      case 'chunk':
        return this.#message?.refusal();
      case 'end':
        return this.#message?.conclude(event.recipient, event.refused) ?? serverReply.failed;
      case 'abort':
        return this.#abort();
      case 'mail':
        return this.#mail(event.transaction);
      case 'forget':
        return this.#guard(() => this.#forget());
      case 'atrn':
      case 'turn':
        return this.#guard(() => this.#askTurn(event));
      case 'authenticate':
        return this.#guard(() => this.#handlers.authenticate?.(this.#session, event.credentials));
      case 'keys':
        return this.#guard(() => this.#handlers.scramKeys?.(this.#session, event.request));
      default:
        return this.#guard(() => this.#decide(event));
    }
  }

  giveUp(): void {
    this.#onError(new Failure('timeout', 'A handler took too long'), this.#session);
    this.#message?.giveUp();
  }

  turned(stream: Duplex): void {
    const failed = (error: unknown) => {
      this.#onError(error, this.#session);
      stream.destroy();
    };
    try {
      Promise.resolve(this.#takeOver?.(stream)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  close(): void {
    this.#message?.fail(new Failure('lost', 'The client broke off'));
    this.#message = undefined;
    this.#handlers.close?.(this.#session);
  }

  #decide(
    event: Exclude<
      ServerEvent,
      {
        kind:
          | 'text'
          | 'mail'
          | 'message'
          | 'chunk'
          | 'end'
          | 'abort'
          | 'forget'
          | 'authenticate'
          | 'keys'
          | 'atrn'
          | 'turn';
      }
    >,
  ): Decision {
    const handlers = this.#handlers;
    const session = this.#session;
    switch (event.kind) {
      case 'connect':
        return handlers.connect?.(session);
      case 'secured':
        return handlers.secured?.(session);
      case 'hello':
        return handlers.hello?.(session, event.hello);
      case 'recipient':
        return handlers.recipient?.(session, event.recipient, event.transaction);
      case 'verify':
        return handlers.verify?.(session, event.argument);
      case 'expand':
        return handlers.expand?.(session, event.argument);
      case 'etrn':
        return handlers.etrn?.(session, event.request);
      case 'starttls':
        return undefined;
    }
  }

  /** Only a function that takes the connection over lets the roles be reversed. */
  async #askTurn(event: Extract<ServerEvent, { kind: 'atrn' | 'turn' }>): Promise<Answer> {
    const handlers = this.#handlers;
    const answer = await (event.kind === 'atrn'
      ? handlers.atrn?.(this.#session, event.domains)
      : handlers.turn?.(this.#session));
    if (typeof answer !== 'function') return isRefusal(answer) ? answer : serverReply.failed;
    this.#takeOver = answer;
    return undefined;
  }

  #mail(transaction: Transaction): Answer | Promise<Answer> {
    const { mail, resume } = this.#handlers;
    const answer = this.#guard(() => mail?.call(this.#handlers, this.#session, transaction));
    return transaction.mail.transactionId === undefined || resume === undefined
      ? answer
      : this.#resume(transaction, answer);
  }

  async #resume(transaction: Transaction, given: Answer | Promise<Answer>): Promise<Answer> {
    const answer = await given;
    if (isRefusal(answer)) return answer;
    return (await this.#guard(() => this.#handlers.resume?.(this.#session, transaction))) ?? answer;
  }

  async #forget(): Promise<undefined> {
    await this.#handlers.forget?.(this.#session);
  }

  #begin(transaction: Transaction, by: TextCommand): Answer | Promise<Answer> {
    const answer = this.#guard(() => this.#handlers.data?.(this.#session, transaction));
    if (answer instanceof Promise) return answer.then((reply) => this.#start(transaction, by, reply));
    return this.#start(transaction, by, answer);
  }

  #start(transaction: Transaction, by: TextCommand, answer: Answer): Answer {
    if (isRefusal(answer)) return answer;
    this.#message = new MessageHandling({
      run: (text) => this.#handlers.message(this.#session, transaction, text),
      recipients: this.#session.role === 'lmtp' ? transaction.recipients.length : 1,
      explain: (error) => this.#explain(error),
      by,
    });
    return undefined;
  }

  async #abort(): Promise<undefined> {
    const message = this.#message;
    this.#message = undefined;
    message?.fail(new Failure('aborted', 'The client gave the message up'));
    await message?.settled;
  }

  /** Calls a handler; without one, or with one that answers at once, there is no promise to wait for. */
  #guard(call: () => Decision | Answer | Promise<Answer>): Answer | Promise<Answer> {
    try {
      const answer = call();
      if (!isThenable(answer)) return answer as Answer;
      return Promise.resolve(answer).then(
        (value) => value as Answer,
        (error: unknown) => this.#explain(error),
      );
    } catch (error) {
      return this.#explain(error);
    }
  }

  /** The reply that an exception earns; the client learns nothing of its text. */
  #explain(error: unknown): Reply {
    this.#onError(error, this.#session);
    return error instanceof Failure && error.kind === 'full' ? serverReply.full : serverReply.failed;
  }
}

function isRefusal(answer: Answer): answer is Reply {
  return answer !== undefined && 'code' in answer && answer.code >= 400;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
