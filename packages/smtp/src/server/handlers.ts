import type { Hello } from '../protocol/server-event.ts';
import type { AcceptedRecipient, Resumption, Transaction } from '../protocol/transaction.ts';
import type { Reply } from '../reply/reply.ts';
import type { Credentials } from '../sasl/mechanism.ts';
import type { IncomingText } from './incoming-text.ts';
import type { Session } from './session.ts';

/** Nothing accepts; a reply, positive or not, is sent as it is. A 421 ends the session. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is typed so
export type HandlerAnswer = Reply | undefined | void;

/** What the final reply is: one for all, or in LMTP one per recipient, in order; each goes out as soon as it is there. */
export type FinalReplies = Promise<Reply | readonly Reply[]> | AsyncIterable<Reply>;

/**
 * What an application decides. A handler that is absent accepts; one that throws earns one 451 4.3.0, or 452 4.3.1 for a
 * Failure `full`, and `onError` is told. One that takes longer than `limits.handlerTime` earns 451 too.
 */
export interface ServerHandlers<State = unknown> {
  /** Before the greeting; a negative reply replaces it. */
  connect?(session: Session<State>): HandlerAnswer | Promise<HandlerAnswer>;
  /** A TLS handshake that STARTTLS began is done; a negative reply is then all that the client gets, but for QUIT. */
  secured?(session: Session<State>): HandlerAnswer | Promise<HandlerAnswer>;
  hello?(session: Session<State>, hello: Hello): HandlerAnswer | Promise<HandlerAnswer>;
  /**
   * The identity to act as, or a negative reply. `authorizeAs` that differs from `user` needs a right of its own. Absent:
   * AUTH is not offered. Take the same time whether or not there is such a user.
   */
  authenticate?(session: Session<State>, credentials: Credentials): Promise<{ readonly login: string } | Reply>;
  mail?(session: Session<State>, transaction: Transaction): HandlerAnswer | Promise<HandlerAnswer>;
  /**
   * MAIL that `mail` accepted and that has a TRANSID: where it goes on, if a session with the same EHLO name left some of
   * its text behind; what is told has to be on stable storage. Nothing begins anew. What `message` gets then follows behind
   * `transaction.offset`; for a message that was complete it gets nothing, and its reply is what the last one was.
   */
  resume?(
    session: Session<State>,
    transaction: Transaction,
  ): Resumption | Reply | undefined | Promise<Resumption | Reply | undefined>;
  /**
   * The client sent RSET, MAIL or QUIT: it will not ask again for what it named by TRANSID in this session, so that nothing
   * of it need be kept (RFC 1845 §3).
   */
  forget?(session: Session<State>): void | Promise<void>;
  /** `transaction` holds the recipients before this one. */
  recipient?(
    session: Session<State>,
    recipient: AcceptedRecipient,
    transaction: Transaction,
  ): HandlerAnswer | Promise<HandlerAnswer>;
  /** DATA, or the first BDAT, before any of the text. */
  data?(session: Session<State>, transaction: Transaction): HandlerAnswer | Promise<HandlerAnswer>;
  /**
   * The message itself. Resolve after it is safe: the reply goes out then (RFC 5321 §6.1). A reply that is given before
   * the text is read to its end takes effect at its end; the rest is read and dropped.
   */
  message(session: Session<State>, transaction: Transaction, text: IncomingText): FinalReplies;
  /** VRFY; nothing says 252. */
  verify?(session: Session<State>, argument: string): HandlerAnswer | Promise<HandlerAnswer>;
  /** EXPN; absent: it is not offered. */
  expand?(session: Session<State>, argument: string): HandlerAnswer | Promise<HandlerAnswer>;
  /** The session is over, however it ended. */
  close?(session: Session<State>): void;
}
