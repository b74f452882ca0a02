/** What bounds a mailbox on this host; octets. */
export interface MailboxBounds {
  /** All that it may hold. */
  readonly quota?: number;
  /** Whether what is beyond the quota fails at once, and does not wait for room (RFC 3463 §3.3). */
  readonly refuseOverQuota?: boolean;
  /** The largest message that it takes. */
  readonly messageSize?: number;
}

/** Octets that are put in front of a text where it is received; they do not count (RFC 1870 §6.3). */
const ownFields = 2048;

/** Whether a stored message, trace and all, is larger than the mailbox takes: never one of a size that was accepted (RFC 1870 §6.3). */
export function isTooLarge({ messageSize }: MailboxBounds, stored: number): boolean {
  return messageSize !== undefined && stored > messageSize + ownFields;
}
