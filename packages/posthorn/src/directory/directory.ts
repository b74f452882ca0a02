import { parseLiteral } from '@posthorn/smtp/address/domain';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseAddress } from '@posthorn/smtp/address/parse-address';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { AliasTarget } from './alias-target.ts';
import type { DirectoryDomain, Forward, MailboxSettings } from './directory-domain.ts';
import { type DomainEntry, DomainTable } from './domain-table.ts';
import { type AliasBook, type Expansion, expandAliases } from './expand-aliases.ts';
import { homeDomain } from './home-domain.ts';
import { NameSearch, type Person } from './name-search.ts';

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

/** Who an address is; `address` is the one form for all ways to write it. */
export type Entry =
  /** A mailbox here, and what stood behind the separator. */
  | ({ readonly kind: 'mailbox'; readonly address: string; readonly detail?: string } & MailboxSettings)
  | {
      readonly kind: 'alias';
      readonly address: string;
      readonly detail?: string;
      /** Addresses at first, without programs and files. */
      readonly targets: readonly string[];
    }
  /** A mailing list; `expansionOf` tells its members (RFC 5321 §3.9.2). */
  | { readonly kind: 'list'; readonly address: string }
  /** Somebody who moved (RFC 5321 §3.4). */
  | ({ readonly kind: 'forward'; readonly address: string } & Forward)
  /** A number of the telephone network behind a gateway of ours (RFC 3191 §3). */
  | { readonly kind: 'gateway' }
  /** Nothing that such a gateway could dial. */
  | { readonly kind: 'malformed' }
  /** Somebody of a domain that we pass mail on to. */
  | { readonly kind: 'relay' }
  /** Nobody, of a domain of ours. */
  | { readonly kind: 'unknown-mailbox' }
  /** Of a domain that is none of ours. */
  | { readonly kind: 'foreign' };

/** Mail that goes on with a sender of its own. */
interface Resending {
  /** Who gets what cannot be delivered: `local@domain`. */
  readonly owner: string;
  readonly expansion: Expansion;
}

/** Knows who an address is; addresses are `local@domain`, or a bare `Postmaster`. */
export interface Directory {
  /** Where a bare `Postmaster` and our own literals belong. */
  readonly homeDomain: string;
  lookup(address: string): Entry;
  /** Replaces aliases by what they stand for in the end; an address that is no alias stands for itself. */
  expand(address: string): Expansion;
  /** Whom an alias with an owner, or who moved in confidence, sends mail on to; undefined when it is neither any more. */
  resendingOf(address: string): Resending | undefined;
  /**
   * Whom an alias or a list stands for at first, as addresses: programs and files are left out; undefined when it is
   * neither. Throws Failure `storage` when the members of a list cannot be read.
   */
  expansionOf(address: string): readonly string[] | undefined;
  /** Everybody whom the name may mean: a local-part, a full name, or its last word (RFC 5321 §3.5.1). */
  peopleNamed(name: string): readonly Person[];
  /** The mailbox that delivers an address in the end, as in `lookup`, even where an alias has its name; undefined: none. */
  mailboxOf(address: string): string | undefined;
  /** What holds for that mailbox. */
  settingsOf(address: string): MailboxSettings | undefined;
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
  const findAddress = (address: string): DomainEntry | undefined => {
    const mailbox = parseAddress(address);
    return mailbox && find(mailbox);
  };
  const findMailbox = (address: string) => {
    const mailbox = parseAddress(address);
    const entry = mailbox && locate(mailbox).table?.mailbox(mailbox.localPart);
    return entry?.kind === 'mailbox' ? entry : undefined;
  };
  const keyOf = (given: Mailbox): string => {
    const { mailbox, table } = locate(given);
    const domain = normalizeDomain(mailbox.domain) ?? mailbox.domain;
    return formatMailbox({ localPart: table?.fold(mailbox.localPart) ?? mailbox.localPart, domain });
  };
  const withDetail = ({ localPart, domain }: Mailbox, detail: string): Mailbox | undefined => {
    const detailed = locate({ localPart, domain }).table?.withDetail(localPart, detail);
    return detailed === undefined ? undefined : parseAddress(formatMailbox({ localPart: detailed, domain }));
  };
  const book: AliasBook = { find, keyOf, withDetail };
  const people = new NameSearch();
  for (const table of tables.values()) {
    for (const { mailbox, settings } of table.knownMailboxes()) people.add(mailbox, settings);
  }

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
      return expandAliases(locate(mailbox).mailbox, book);
    },
    resendingOf(address) {
      const mailbox = parseAddress(address);
      const owner = mailbox && ownerOf(find(mailbox));
      if (mailbox === undefined || owner === undefined) return undefined;
      const expansion = expandAliases(locate(mailbox).mailbox, book, true);
      return { owner: formatMailbox(owner), expansion };
    },
    expansionOf(address) {
      const entry = findAddress(address);
      if (entry?.kind === 'list') return entry.members().map(formatMailbox);
      return entry?.kind === 'alias' ? addressesOf(entry.targets) : undefined;
    },
    peopleNamed: (name) => people.find(name),
    mailboxOf(address) {
      const entry = findMailbox(address);
      return entry && formatMailbox(entry.mailbox);
    },
    settingsOf: (address) => findMailbox(address)?.settings,
    keyOf(address) {
      const mailbox = parseAddress(address);
      return mailbox === undefined ? address : keyOf(mailbox);
    },
  };
}

function addressesOf(targets: readonly AliasTarget[]): string[] {
  return targets.flatMap((target) => ('mailbox' in target ? [formatMailbox(target.mailbox)] : []));
}

/** Who moved in confidence leaves failures to the postmaster, never to the sender (RFC 3461 §5.2.7.4). */
function ownerOf(entry: DomainEntry | undefined): Mailbox | undefined {
  if (entry?.kind === 'alias') return entry.owner;
  if (entry?.kind !== 'forward' || entry.forward.confidential !== true) return undefined;
  return { localPart: 'postmaster', domain: entry.mailbox.domain };
}

function describeEntry(entry: DomainEntry | undefined): Entry | undefined {
  switch (entry?.kind) {
    case 'mailbox': {
      const { mailbox, detail, settings } = entry;
      const address = formatMailbox(mailbox);
      return { kind: 'mailbox', address, ...(detail === undefined ? {} : { detail }), ...settings };
    }
    case 'alias':
      return {
        kind: 'alias',
        address: formatMailbox(entry.mailbox),
        ...(entry.detail === undefined ? {} : { detail: entry.detail }),
        targets: addressesOf(entry.targets),
      };
    case 'forward':
      return { kind: 'forward', address: formatMailbox(entry.mailbox), ...entry.forward, to: formatMailbox(entry.to) };
    case 'list':
      return { kind: 'list', address: formatMailbox(entry.mailbox) };
    case 'gateway':
    case 'malformed':
      return { kind: entry.kind };
    case undefined:
      return undefined;
  }
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
