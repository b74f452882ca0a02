import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { parseSolicitation } from '@posthorn/smtp/command/solicitation';
import { parseDate } from '@posthorn/smtp/message/date';
import { headerFields } from '@posthorn/smtp/message/header';

/** What the header of a message asks for. */
export interface HeaderWishes {
  /** Classes of solicitation that it says it belongs to; none when no field is well-formed (RFC 3865 §2.5). */
  readonly solicit: readonly string[];
  /** Whether its sender wants it delivered whatever the TLS is like; said twice, it is not said (RFC 8689 §3). */
  readonly tlsOptional: boolean;
  /** Since when a recipient has to be the same (RFC 7293 §3.2). */
  readonly owners: readonly { readonly address: string; readonly since: number }[];
}

const mostOwners = 100;

/** Reads the wishes in a header; what is malformed is none. */
export function readHeaderWishes(header: Buffer): HeaderWishes {
  const solicit: string[] = [];
  const owners: { address: string; since: number }[] = [];
  const tls: string[] = [];
  for (const { name, value } of headerFields(header)) {
    if (name === 'solicitation') solicit.push(...(parseSolicitation(value) ?? []));
    else if (name === 'tls-required') tls.push(value.toLowerCase());
    else if (name === 'require-recipient-valid-since' && owners.length < mostOwners) owners.push(...readOwner(value));
  }
  return { solicit, owners, tlsOptional: tls.length === 1 && tls[0] === 'no' };
}

function readOwner(value: string): { address: string; since: number }[] {
  const end = value.lastIndexOf(';');
  const mailbox = end < 0 ? undefined : parseMailbox(value.slice(0, end).trim(), { utf8: true });
  const since = parseDate(value.slice(end + 1).trim());
  return mailbox === undefined || since === undefined ? [] : [{ address: formatMailbox(mailbox), since }];
}
