import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { networkMatcher } from '@posthorn/smtp/address/network';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { sameMailbox } from '@posthorn/smtp/address/same-mailbox';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Session, Transaction } from '@posthorn/smtp/server';
import type { BatchGateway } from '../agents/batch-processor.ts';
import type { GatewayConfig } from '../config/batch-fields.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';

/** Finds gateways for batches by any way to write their address. */
export type FindGateway = (address: string) => BatchGateway | undefined;

const notListed = reply(550, '5.7.1', 'Not permitted to hand in batches of mail');

/** Domains whose gateways have mailboxes: whoever may write to one is looked at apart. */
export function withGatewayMailboxes<Domain extends Pick<Config['domains'][string], 'batches' | 'mailboxes'>>(
  domains: Readonly<Record<string, Domain>>,
): Record<string, Domain> {
  const entries = Object.entries(domains).map(([name, domain]) => {
    const { batches, mailboxes = [] } = domain;
    const gateways = Object.keys(batches);
    if (gateways.length === 0 || mailboxes === '*') return [name, domain] as const;
    return [name, { ...domain, mailboxes: [...mailboxes, ...gateways] }] as const;
  });
  return Object.fromEntries(entries);
}

/** The gateways of a configuration. */
export function createGateways(domains: Config['domains'], directory: Directory): FindGateway {
  const gateways = new Map<string, BatchGateway>();
  for (const [domain, { batches }] of Object.entries(domains)) {
    for (const [name, config] of Object.entries(batches)) {
      const entry = directory.lookup(`${name}@${domain}`);
      if (entry.kind !== 'mailbox') continue;
      gateways.set(entry.address, { postmaster: `postmaster@${domain}`, mayFeed: feeding(config) });
    }
  }
  if (gateways.size === 0) return () => undefined;
  return (address) => {
    const entry = directory.lookup(address);
    return entry.kind === 'mailbox' ? gateways.get(entry.address) : undefined;
  };
}

/** Refuses a batch from whom the gateway takes none: it would send mail to anyone for anyone (RFC 2442). */
export function admitGenerator(
  findGateway: FindGateway,
  { mailbox }: AcceptedRecipient,
  { session, transaction }: { readonly session: Session; readonly transaction: Pick<Transaction, 'reversePath'> },
): Reply | undefined {
  const gateway = findGateway(formatMailbox(mailbox));
  if (gateway === undefined) return undefined;
  const { reversePath } = transaction;
  const { clientAddress, login } = session;
  const mayFeed = gateway.mayFeed({
    reversePath: reversePath === null ? '' : formatMailbox(reversePath),
    clientAddress,
    ...(login === undefined ? {} : { login }),
  });
  return mayFeed ? undefined : notListed;
}

function feeding({ from, networks }: GatewayConfig): BatchGateway['mayFeed'] {
  const isNear = networkMatcher(networks);
  const domains = new Set(from.map((each) => normalizeDomain(each)));
  const senders = from.map((each) => parseMailbox(each, { utf8: true })).filter((each) => each !== undefined);
  return ({ reversePath, clientAddress, login }) => {
    const sender = parseMailbox(reversePath, { utf8: true });
    if (sender === undefined || (login === undefined && !isNear(clientAddress))) return false;
    const isListed = senders.some((each) => sameMailbox(each, sender, { caseSensitive: false }));
    return isListed || domains.has(normalizeDomain(sender.domain) ?? sender.domain);
  };
}
