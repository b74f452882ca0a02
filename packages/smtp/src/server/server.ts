import type { Mailbox, ReversePath } from '../address/mailbox.ts';
import type { MailParameters, RcptParameters } from '../command/parameters.ts';
import type { Reply } from '../reply/reply.ts';

/** What a listener is for: it decides which commands and duties are in force (RFC 5321 §3.1, RFC 6409 §3, RFC 2033 §4). */
export type Role = 'mx' | 'submission' | 'submissions' | 'lmtp';

/** What is known about a session; the same object through all of its handlers. */
export interface Session<State = unknown> {
  /** Unique within the process. */
  readonly id: string;
  readonly role: Role;
  /** After PROXY protocol; `local` for UNIX sockets and standard input. */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Set once TLS is active. */
  readonly tls?: { readonly protocol: string; readonly cipher: string; readonly serverName?: string };
  /** The last accepted HELO, EHLO or LHLO. */
  readonly hello?: { readonly verb: 'HELO' | 'EHLO' | 'LHLO'; readonly name: string };
  /** The authenticated identity. */
  readonly login?: string;
  /** Free for the application; from `state()` when the session begins. */
  state: State;
}

/** A transaction under way (RFC 5321 §3.3). */
export interface Transaction {
  readonly reversePath: ReversePath;
  readonly mail: MailParameters;
  readonly recipients: readonly AcceptedRecipient[];
}

/** One accepted RCPT, in the order of the session (RFC 5321 §4.1.1.3). */
export interface AcceptedRecipient {
  readonly mailbox: Mailbox;
  readonly parameters: RcptParameters;
}

/**
 * The text of a message as it comes in: dots unstuffed, CRLF line ends, pieces in the order of the text. Iterate it once.
 * It throws Failure when the client breaks off or the text is refused (size, bare CR or LF): let that pass through.
 */
export interface IncomingText extends AsyncIterable<Buffer> {
  /** Octets seen so far. */
  readonly size: number;
}

type Answer = Reply | undefined | void;

/** What an application decides. Nothing, or undefined, accepts; a throw becomes one 451 and an `error` event. */
export interface ServerHandlers<State = unknown> {
  /** Before the greeting; a negative reply replaces it. */
  connect?(session: Session<State>): Answer | Promise<Answer>;
  hello?(session: Session<State>): Answer | Promise<Answer>;
  /** Credentials of PLAIN or LOGIN: the identity to act as, or a negative reply. */
  authenticate?(
    session: Session<State>,
    credentials: {
      readonly mechanism: string;
      readonly user: string;
      readonly password: string;
      readonly authorizeAs: string;
    },
  ): Promise<{ readonly login: string } | Reply>;
  mail?(session: Session<State>, transaction: Transaction): Answer | Promise<Answer>;
  recipient?(session: Session<State>, recipient: AcceptedRecipient, transaction: Transaction): Answer | Promise<Answer>;
  /**
   * The message itself. Resolve after it is safe: the reply goes out then. For LMTP one reply per recipient, in order.
   * A reply given before the text is read to its end refuses it; the rest is read and dropped.
   */
  message(session: Session<State>, transaction: Transaction, text: IncomingText): Promise<Reply | readonly Reply[]>;
  verify?(session: Session<State>, argument: string): Answer | Promise<Answer>;
  expand?(session: Session<State>, argument: string): Answer | Promise<Answer>;
  /** The session is over, however it ended. */
  close?(session: Session<State>): void;
}
