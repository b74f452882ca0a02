import type { Duplex } from 'node:stream';
import type { Answer } from '../protocol/server-answers.ts';
import type { ServerEvent } from '../protocol/server-event.ts';
import type { AnyEvent } from './served-session.ts';

/** What answers the questions of one session. */
export interface Application<E extends AnyEvent = ServerEvent, A = Answer> {
  /** Milliseconds that an answer may take, where that is less than the host allows. */
  readonly answerTime?: number;
  /** Answers a question, at once or later; for a text, a promise says when more of it may come. */
  handle(event: E): A | Promise<A>;
  /** The last answer took too long: it counts as a failure of ours, and a text under way is lost. */
  giveUp(): void;
  /** The roles are reversed: the stream is the application's from now on, paused; it has to be closed in the end. */
  turned?(stream: Duplex): void;
  /** The connection is gone. */
  close(): void;
}
