import { formatMailbox } from './mailbox.ts';
import { parseMailbox } from './parse-mailbox.ts';

/**
 * The reverse-path of one recipient's copy, that a report to it names its recipient by: `owner+user=domain@…`. The owner's
 * own address where the recipient does not fit into it (RFC 5321 §3.9.2).
 */
export function formatVerp(owner: string, recipient: string): string {
  const from = parseMailbox(owner, { utf8: true });
  const to = parseMailbox(recipient, { utf8: true });
  if (from === undefined || to === undefined) return owner;
  const address = formatMailbox({ localPart: `${from.localPart}+${to.localPart}=${to.domain}`, domain: from.domain });
  // Not every host keeps quotes as they are.
  return address.startsWith('"') || parseMailbox(address, { utf8: true }) === undefined ? owner : address;
}

/** The recipient whom such a reverse-path names; undefined when it names none (RFC 5321 §3.9.2). */
export function parseVerp(address: string): string | undefined {
  const mailbox = parseMailbox(address, { utf8: true });
  const plus = mailbox?.localPart.indexOf('+') ?? -1;
  const equals = mailbox?.localPart.lastIndexOf('=') ?? -1;
  if (mailbox === undefined || plus < 1 || equals < plus) return undefined;
  const localPart = mailbox.localPart.slice(plus + 1, equals);
  const recipient = formatMailbox({ localPart, domain: mailbox.localPart.slice(equals + 1) });
  return parseMailbox(recipient, { utf8: true }) === undefined ? undefined : recipient;
}
