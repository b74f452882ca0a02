import type { Mailbox, ReversePath } from '../address/mailbox.ts';
import type { MailParameters, RcptParameters } from '../command/parameters.ts';

/** One accepted RCPT (RFC 5321 §4.1.1.3). */
export interface AcceptedRecipient {
  readonly mailbox: Mailbox;
  readonly parameters: RcptParameters;
}

/** A transaction under way (RFC 5321 §3.3). */
export interface Transaction {
  readonly reversePath: ReversePath;
  readonly mail: MailParameters;
  /** In the order of the session, a repeated one as often as it came. */
  readonly recipients: readonly AcceptedRecipient[];
}
