import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { readForwardPath } from '@posthorn/smtp/address/path';

/** One address that an alias stands for. */
export interface AliasTarget {
  readonly mailbox: Mailbox;
  /** Written with `\` before it: the mailbox of that name, even where an alias has the name too. */
  readonly direct: boolean;
}

/** Reads `local@domain`, or `local` for one in the alias's own domain, `\` before either; undefined when it is faulty. */
export function parseAliasTarget(text: string, domain: string): AliasTarget | undefined {
  const direct = text.startsWith('\\');
  const given = direct ? text.slice(1) : text;
  const mailbox = parseAddress(given) ?? parseAddress(`${given}@${domain}`);
  if (mailbox === undefined) return undefined;
  return { mailbox: { ...mailbox, domain: mailbox.domain || domain }, direct };
}

/** Reads an address as it stands in an envelope, a bare `Postmaster` with an empty domain; undefined when it is none (RFC 5321 §4.1.1.3). */
export function parseAddress(text: string): Mailbox | undefined {
  const read = readForwardPath(`<${text}>`, { utf8: true });
  return read?.rest === '' ? read.path : undefined;
}
