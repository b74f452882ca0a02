import { formatLocalPart } from './local-part.ts';

/** A mailbox of an envelope: local-part without quoting, and its domain or address literal (RFC 5321 §4.1.2). */
export interface Mailbox {
  /** The local-part as it is meant: quotes and backslashes of the wire form are taken away; its case is kept. */
  readonly localPart: string;
  /** The domain as given (case kept), or an address literal with its brackets; empty only for a bare `Postmaster`. */
  readonly domain: string;
}

/** The reverse-path of MAIL: null is the null path `<>` (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null;

const unwritable = /[\p{Cc}\p{Cs}]/u;

/**
 * Writes a mailbox with the least quoting that is valid, without angle brackets. No spelling exists for control
 * characters: they throw RangeError, so that no address brings a line of its own (RFC 5321 §4.1.2).
 */
export function formatMailbox(mailbox: Mailbox): string {
  const local = formatLocalPart(mailbox.localPart);
  const text = mailbox.domain === '' ? local : `${local}@${mailbox.domain}`;
  if (unwritable.test(text)) throw new RangeError('an address has a control character');
  return text;
}

/** Writes a reverse-path with its angle brackets (RFC 5321 §4.1.2). */
export function formatReversePath(path: ReversePath): string {
  return path === null ? '<>' : `<${formatMailbox(path)}>`;
}
