import type { Duplex } from 'node:stream';
import type { EtrnRequest } from '../command/turn-arguments.ts';
import type { Hello } from '../protocol/server-event.ts';
import type { AcceptedRecipient, Resumption, Transaction } from '../protocol/transaction.ts';
import type { Reply } from '../reply/reply.ts';
import type { Credentials, KeyRequest } from '../sasl/mechanism.ts';
import type { ScramKeys } from '../sasl/scram-keys.ts';
import type { IncomingText } from './incoming-text.ts';
import type { Session } from './session.ts';

/** Nothing accepts; a reply, positive or not, is sent as it is. A 421 ends the session. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is typed so
export type HandlerAnswer = Reply | undefined | void;

/**
 * Takes a connection over whose roles are reversed, once the 250 is out: speak over it as a client with `openConnection`
 * and its `socketFactory`. It counts as a connection of the server until it is closed (RFC 2645 §5.3).
 */
export type TakeOver = (stream: Duplex) => void | Promise<void>;

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
  /**
   * What is kept of a user's password for SCRAM; nothing when there is no such user, or no keys for this hash: the exchange
   * then goes on with keys that nobody knows a password for. `authenticate` is told how it came out. Absent: SCRAM is not
   * offered (RFC 5802 §3).
   */
  scramKeys?(session: Session<State>, request: KeyRequest): Promise<ScramKeys | Reply | undefined>;
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
  /**
   * ETRN, on the role `mx` alone; absent: it is not offered. It answers at once, and works on new connections: 250 when it
   * is not known how much waits, 251, 252, 253, 458 or 459 otherwise; nothing says 250 (RFC 1985 §5.1).
   */
  etrn?(session: Session<State>, request: EtrnRequest): HandlerAnswer | Promise<HandlerAnswer>;
  /**
   * ATRN of a login, on the roles `odmr` and `mx`; absent: it is not offered. No domain stands for all of the login. A reply
   * refuses; a function accepts: it gets the connection as its client, for the mail of these domains (RFC 2645 §5.2.1).
   */
  atrn?(session: Session<State>, domains: readonly string[]): Promise<TakeOver | Reply>;
  /** TURN of a login, on the role `mx` alone; absent, and before a login, it earns 502 (RFC 5321 §F.1). */
  turn?(session: Session<State>): Promise<TakeOver | Reply>;
  /** The session is over, however it ended; a connection that was taken over: it is closed. */
  close?(session: Session<State>): void;
}
