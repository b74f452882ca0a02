import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Session } from '@posthorn/smtp/server';
import type { MailboxSettings } from '../directory/directory-domain.ts';
import { isNullExchanger } from '../dns/null-exchanger.ts';
import type { Resolver } from '../dns/resolver.ts';
import { admitMailbox, type MailboxParts } from './admit-mailbox.ts';
import type { Disclosure } from './disclosure.ts';
import { moved } from './forward-reply.ts';
import { exchangersOf } from './qualify.ts';

/** What decides whether a recipient is admitted. */
export interface AdmissionParts extends MailboxParts {
  readonly resolver: Pick<Resolver, 'mx'>;
  /** Whether the client's address is in a network that may relay. */
  readonly isRelayClient: (address: string) => boolean;
  readonly disclosure: Disclosure;
}

const noMailbox = reply(550, '5.1.1', 'No such mailbox here');
const ambiguous = reply(553, '5.1.4', 'User ambiguous');
const malformed = reply(553, '5.1.3', 'No number that can be dialled');
const endless = reply(550, '5.4.6', 'The alias leads round in a circle');
const relayDenied = reply(550, '5.7.1', 'Relaying denied');
const noDomain = reply(550, '5.1.2', 'The domain does not exist');
const nullExchanger = reply(556, '5.1.10', 'The domain accepts no mail');

/** Whether the client may send mail to anyone: a login, a user of this host, a listed network (RFC 5321 §7.9, RFC 2505 §2.1). */
function mayRelay({ login, role, clientAddress }: Session, parts: AdmissionParts): boolean {
  return login !== undefined || (isSubmission(role) && clientAddress === 'local') || parts.isRelayClient(clientAddress);
}

interface Asked {
  readonly recipient: AcceptedRecipient;
  /** Octets that the client announced, if it did (RFC 1870 §6). */
  readonly size: number | undefined;
}

/** Says whether a recipient is accepted; nothing accepts it (RFC 5321 §3.3). */
export function admitRecipient(
  parts: AdmissionParts,
  session: Session,
  { recipient: { mailbox }, size }: Asked,
): Reply | undefined | Promise<Reply | undefined> {
  const address = formatMailbox(mailbox);
  const entry = parts.directory.lookup(address);
  const { kind } = entry;
  if (kind === 'mailbox') return isBound(entry) ? admitMailbox(parts, address, size) : undefined;
  if (kind === 'alias') return admitAlias(parts, address, size);
  if (kind === 'forward') return moved(entry, parts.disclosure.mayLearnForward(session));
  if (kind === 'malformed') return malformed;
  if (kind === 'unknown-mailbox') return isAmbiguous(parts, session, mailbox) ? ambiguous : noMailbox;
  if (kind === 'foreign' && !mayRelay(session, parts)) return relayDenied;
  if (kind !== 'foreign' && kind !== 'relay') return undefined;
  if (leadsOn(mailbox) && !mayRelay(session, parts)) return relayDenied;
  const nextHop = parts.route(address);
  return nextHop.kind === 'mx' ? checkDomain(parts, nextHop.domain) : undefined;
}

/** Whether some host would send mail for it on: the one behind this one must not do for strangers what this one does not (RFC 2505 §2.1). */
function leadsOn({ localPart }: Mailbox): boolean {
  return /[%!@]/.test(localPart);
}

/** Most mailboxes take whatever comes, and cost no further look. */
function isBound({ disabled, quota, messageSize }: MailboxSettings): boolean {
  return disabled === true || quota !== undefined || messageSize !== undefined;
}

/** An alias that leads nowhere is refused; one of a single mailbox takes what that takes (RFC 5321 §3.9.1). */
function admitAlias(parts: AdmissionParts, address: string, size?: number): ReturnType<typeof admitMailbox> {
  const expansion = parts.directory.expand(address);
  if (expansion.kind === 'loop') return endless;
  const { recipients, targeted = [] } = expansion;
  const [only] = recipients;
  if (only === undefined || recipients.length + targeted.length > 1) return undefined;
  return parts.directory.mailboxOf(only) === undefined ? undefined : admitMailbox(parts, only, size);
}

/** Whether several people have the name: told to those who may know who is here (RFC 5321 §3.5.1). */
function isAmbiguous(
  { directory, disclosure }: AdmissionParts,
  session: Session,
  { localPart, domain }: Mailbox,
): boolean {
  if (!disclosure.mayVerify(session)) return false;
  const home = normalizeDomain(domain) ?? directory.homeDomain;
  return directory.peopleNamed(localPart).filter(({ address }) => address.endsWith(`@${home}`)).length > 1;
}

/** A domain that certainly takes no mail is better refused now than bounced later (RFC 7505 §4.1). */
async function checkDomain({ resolver }: AdmissionParts, domain: string): Promise<Reply | undefined> {
  if (domain.startsWith('[')) return undefined;
  const answer = await exchangersOf(resolver, domain);
  if (answer.kind === 'absent') return noDomain;
  return isNullExchanger(answer) ? nullExchanger : undefined;
}
