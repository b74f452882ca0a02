import { parseLiteral } from '@posthorn/smtp/address/domain';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { parseAddress } from './alias-target.ts';
import { type DirectoryDomain, type DomainEntry, DomainTable } from './domain-table.ts';
import { type Expansion, expandAliases } from './expand-aliases.ts';
import { homeDomain } from './home-domain.ts';

/** All that is known about who is who. */
export interface DirectoryConfig {
  /** The host's own name. */
  readonly hostname: string;
  /** IP addresses of this host: their literals are the home domain. */
  readonly ownAddresses?: readonly string[];
  /** Who gets the mail for `postmaster` of the domains that do not say it themselves. */
  readonly postmaster?: string;
  readonly domains: Readonly<Record<string, DirectoryDomain>>;
}

/** Who an address is. */
type Entry =
  /** A mailbox here: its address in the one form for all ways to write it, and what stood behind the separator. */
  | { readonly kind: 'mailbox'; readonly address: string; readonly detail?: string }
  | { readonly kind: 'alias'; readonly targets: readonly string[] }
  /** Somebody of a domain that we pass mail on to. */
  | { readonly kind: 'relay' }
  /** Nobody, of a domain of ours. */
  | { readonly kind: 'unknown-mailbox' }
  /** Of a domain that is none of ours. */
  | { readonly kind: 'foreign' };

/** Knows who an address is; addresses are `local@domain`, or a bare `Postmaster`. */
export interface Directory {
  /** Where a bare `Postmaster` and our own literals belong. */
  readonly homeDomain: string;
  lookup(address: string): Entry;
  /** Replaces aliases by what they stand for in the end; an address that is no alias stands for itself. */
  expand(address: string): Expansion;
  /** The mailbox that delivers an address in the end, as in `lookup`, even where an alias has its name; undefined: none. */
  mailboxOf(address: string): string | undefined;
  /** A form that is the same for all ways to write an address, its detail kept: for finding doubles. */
  keyOf(address: string): string;
}

/** An address as the directory sees it. */
interface Located {
  readonly mailbox: Mailbox;
  /** Undefined for domains that are none of ours. */
  readonly table: DomainTable | undefined;
}

/** Makes a directory. Throws Failure `invalid` for a faulty name or address (RFC 5321 §3.9.1). */
export function createDirectory(config: DirectoryConfig): Directory {
  const { tables, home } = readDomains(config);
  const own = new Set((config.ownAddresses ?? []).map(normalizeAddress));

  const locate = (mailbox: Mailbox): Located => {
    const literal = parseLiteral(mailbox.domain);
    const isHome =
      mailbox.domain === '' || (literal && 'address' in literal && own.has(normalizeAddress(literal.address)));
    const domain = isHome ? home : normalizeDomain(mailbox.domain);
    const located = isHome ? { ...mailbox, domain: home } : mailbox;
    return { mailbox: located, table: tables.get(domain ?? '') };
  };
  const find = (mailbox: Mailbox): DomainEntry | undefined => locate(mailbox).table?.lookup(mailbox.localPart);
  const keyOf = (given: Mailbox): string => {
    const { mailbox, table } = locate(given);
    const domain = normalizeDomain(mailbox.domain) ?? mailbox.domain;
    return formatMailbox({ localPart: table?.fold(mailbox.localPart) ?? mailbox.localPart, domain });
  };

  return {
    homeDomain: home,
    lookup(address) {
      const mailbox = parseAddress(address);
      if (mailbox === undefined) return { kind: 'foreign' };
      const { table } = locate(mailbox);
      if (table === undefined) return { kind: 'foreign' };
      return describeEntry(table.lookup(mailbox.localPart)) ?? { kind: table.relays ? 'relay' : 'unknown-mailbox' };
    },
    expand(address) {
      const mailbox = parseAddress(address);
      if (mailbox === undefined) return { kind: 'recipients', recipients: [address] };
      return expandAliases(locate(mailbox).mailbox, { find, keyOf });
    },
    mailboxOf(address) {
      const mailbox = parseAddress(address);
      const entry = mailbox && locate(mailbox).table?.mailbox(mailbox.localPart);
      return entry?.kind === 'mailbox' ? formatMailbox(entry.mailbox) : undefined;
    },
    keyOf(address) {
      const mailbox = parseAddress(address);
      return mailbox === undefined ? address : keyOf(mailbox);
    },
  };
}

function describeEntry(entry: DomainEntry | undefined): Entry | undefined {
  if (entry?.kind === 'alias')
    return { kind: 'alias', targets: entry.targets.map(({ mailbox }) => formatMailbox(mailbox)) };
  if (entry === undefined) return undefined;
  const address = formatMailbox(entry.mailbox);
  return entry.detail === undefined ? { kind: 'mailbox', address } : { kind: 'mailbox', address, detail: entry.detail };
}

function readDomains({ hostname, domains, postmaster }: DirectoryConfig) {
  const host = readDomain(hostname);
  const tables = new Map<string, DomainTable>();
  for (const [name, domain] of Object.entries(domains)) {
    const key = readDomain(name);
    if (tables.has(key)) throw new Failure('invalid', `${name} stands twice among the domains`);
    tables.set(key, new DomainTable(key, domain, postmaster));
  }
  const local = [...tables].filter(([, table]) => table.isLocal).map(([name]) => name);
  const home = homeDomain(host, local);
  // People write to the postmaster of the host they see, whether or not it has other mailboxes.
  if (!tables.has(host)) tables.set(host, new DomainTable(host, {}, postmaster ?? `postmaster@${home}`));
  return { tables, home };
}

function readDomain(text: string): string {
  const domain = normalizeDomain(text);
  if (domain === undefined) throw new Failure('invalid', `${text} is no domain`);
  return domain;
}
