import type { Mailbox } from './mailbox.ts';
import { readForwardPath } from './path.ts';

/** Reads an address as it stands in an envelope, a bare `Postmaster` with an empty domain; undefined when it is none (RFC 5321 §4.1.1.3). */
export function parseAddress(text: string): Mailbox | undefined {
  const read = readForwardPath(`<${text}>`, { utf8: true });
  return read?.rest === '' ? read.path : undefined;
}
