import type { Mailbox, ReversePath } from '../address/mailbox.ts';
import type { MailParameters, RcptParameters } from '../command/parameters.ts';

/** One accepted RCPT (RFC 5321 §4.1.1.3). */
export interface AcceptedRecipient {
  readonly mailbox: Mailbox;
  readonly parameters: RcptParameters;
}

/** A transaction under way (RFC 5321 §3.3). */
export interface Transaction {
  /** What opened it where that was not MAIL: it is for a terminal, too, or for nothing else (RFC 821 §3.4). */
  readonly verb?: TerminalVerb;
  readonly reversePath: ReversePath;
  readonly mail: MailParameters;
  /** In the order of the session, a repeated one as often as it came. */
  readonly recipients: readonly AcceptedRecipient[];
  /** Octets of the text that an earlier session left here: it goes on behind them (RFC 1845 §3). */
  readonly offset?: number;
}

/**
 * The verbs that mean terminals: SEND the terminal alone, SOML the mailbox when the terminal is not in use, SAML both
 * (RFC 821 §3.4).
 */
export type TerminalVerb = 'SEND' | 'SOML' | 'SAML';

/** Where a transaction goes on that an earlier session broke off (RFC 1845 §3). */
export interface Resumption {
  /** Octets of the text that are stored, dots unstuffed; behind a line end, unless they came in chunks. */
  readonly offset: number;
  /** Those that were accepted. */
  readonly recipients: readonly AcceptedRecipient[];
  /** The command that the text came by; what came by BDAT can go on in the midst of a line, so by BDAT alone. */
  readonly by: TextCommand;
}

/** The command that a text comes by (RFC 5321 §4.1.1.4, RFC 3030 §2). */
export type TextCommand = 'DATA' | 'BDAT';
