import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Session } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { exchangersOf } from './qualify.ts';

/** What decides whether a recipient is admitted. */
export interface AdmissionParts {
  readonly directory: Directory;
  readonly resolver: Pick<Resolver, 'mx'>;
  readonly route: (address: string) => NextHop;
  /** Whether the client's address is in a network that may relay. */
  readonly isRelayClient: (address: string) => boolean;
}

const noMailbox = reply(550, '5.1.1', 'No such mailbox here');
const relayDenied = reply(550, '5.7.1', 'Relaying denied');
const noDomain = reply(550, '5.1.2', 'The domain does not exist');
const nullExchanger = reply(556, '5.1.10', 'The domain accepts no mail');

/** Whether the client may send mail to anyone: a login, a user of this host, a listed network (RFC 5321 §7.9, RFC 2505 §2.1). */
function mayRelay({ login, role, clientAddress }: Session, parts: AdmissionParts): boolean {
  return login !== undefined || (isSubmission(role) && clientAddress === 'local') || parts.isRelayClient(clientAddress);
}

/** Says whether a recipient is accepted; nothing accepts it (RFC 5321 §3.3). */
export function admitRecipient(
  parts: AdmissionParts,
  session: Session,
  { mailbox }: AcceptedRecipient,
): Reply | undefined | Promise<Reply | undefined> {
  const address = formatMailbox(mailbox);
  const { kind } = parts.directory.lookup(address);
  if (kind === 'unknown-mailbox') return noMailbox;
  if (kind === 'foreign' && !mayRelay(session, parts)) return relayDenied;
  if (kind !== 'foreign' && kind !== 'relay') return undefined;
  const nextHop = parts.route(address);
  return nextHop.kind === 'mx' ? checkDomain(parts, nextHop.domain) : undefined;
}

/** A domain that certainly takes no mail is better refused now than bounced later (RFC 7505 §4.1). */
async function checkDomain({ resolver }: AdmissionParts, domain: string): Promise<Reply | undefined> {
  if (domain.startsWith('[')) return undefined;
  const answer = await exchangersOf(resolver, domain);
  if (answer.kind === 'absent') return noDomain;
  const only = answer.kind === 'found' && answer.records.length === 1 ? answer.records[0] : undefined;
  return only !== undefined && (only.exchange === '.' || only.exchange === '') ? nullExchanger : undefined;
}
