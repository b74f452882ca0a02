import type { Disposition } from './disposition.ts';

/** What the message/disposition-notification part of a report tells (RFC 8098 §3). */
export interface DispositionReport {
  /** The mail program that reports, as `name; product`. */
  readonly reportingUa?: string;
  /** The name of the gateway that translated it from another mail system. */
  readonly gateway?: string;
  /** The Original-Recipient field of the message as `type;address`; absent when it had none. */
  readonly originalRecipient?: string;
  /** For whom it is reported, `local@domain`. */
  readonly finalRecipient: string;
  /** With its brackets; absent when the message had none. */
  readonly originalMessageId?: string;
  readonly disposition: Disposition;
  /** What went wrong, in words. */
  readonly errors: readonly string[];
}
