import { domainToASCII } from 'node:url';
import { formatMailbox, type Mailbox } from '../address/mailbox.ts';

/** An address as a header field has it. */
export interface AddrSpec {
  readonly text: string;
  /** The local-part is not ASCII: the message needs SMTPUTF8 (RFC 6531 §3.4). */
  readonly utf8: boolean;
}

const ascii = /^[ -~]*$/;

/**
 * Writes the address of a header field. Where only the domain is not ASCII its A-label form is written, so that any host
 * can take the message; a local-part has no other form (RFC 5890 §2.3.2.1, RFC 6532 §3.2).
 */
export function formatAddrSpec(mailbox: Mailbox): AddrSpec {
  const text = formatMailbox(mailbox);
  if (ascii.test(text)) return { text, utf8: false };
  if (!ascii.test(mailbox.localPart)) return { text, utf8: true };
  const domain = domainToASCII(mailbox.domain);
  return domain === '' ? { text, utf8: true } : { text: formatMailbox({ ...mailbox, domain }), utf8: false };
}
