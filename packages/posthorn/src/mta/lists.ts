import { statSync } from 'node:fs';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { MailingList } from '../agents/mailing-list.ts';
import { isMember, type ListConfig } from '../config/list-fields.ts';
import { readTextFile } from '../config/read-text-file.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import type { DirectoryList } from '../directory/directory-domain.ts';

/** The lists of a domain by name, with the members that they have now. */
type Lists = Readonly<Record<string, DirectoryList & { members(): readonly string[] }>>;

/** The domains, whose lists tell the members that their files have now. */
export function withListMembers(domains: Config['domains']) {
  const entries = Object.entries(domains).map(([name, domain]) => {
    const lists: Lists = Object.fromEntries(
      Object.entries(domain.lists).map(([list, { members, file, owner }]) => [
        list,
        { owner, members: file === undefined ? () => members : memberFile(file, members) },
      ]),
    );
    return [name, { ...domain, lists }] as const;
  });
  return Object.fromEntries(entries);
}

/** Finds lists by any way to write their address. */
export type FindList = (address: string) => MailingList | undefined;

/** What lists are made of: their configuration, the same with their members, and the directory that was made of that. */
export interface ListSources {
  readonly domains: Config['domains'];
  readonly withMembers: ReturnType<typeof withListMembers>;
  readonly directory: Directory;
}

/** The lists of a configuration. */
export function createLists({ domains, withMembers, directory }: ListSources): FindList {
  const lists = new Map<string, MailingList>();
  for (const [domain, { lists: configs }] of Object.entries(domains)) {
    for (const [name, config] of Object.entries(configs)) {
      const entry = directory.lookup(addressOf(name, domain));
      const members = withMembers[domain]?.lists[name]?.members;
      if (entry.kind !== 'list' || members === undefined) continue;
      lists.set(entry.address, createList(entry.address, config, { name, domain, directory, members }));
    }
  }
  if (lists.size === 0) return () => undefined;
  return (address) => {
    const entry = directory.lookup(address);
    return entry.kind === 'list' ? lists.get(entry.address) : undefined;
  };
}

interface Place {
  readonly name: string;
  readonly domain: string;
  readonly directory: Directory;
  /** As they are written. */
  readonly members: () => readonly string[];
}

function createList(address: string, config: ListConfig, place: Place): MailingList {
  const { name, domain, directory } = place;
  const owner = addressOf(`owner-${name}`, domain);
  const { verp, help, unsubscribe, subscribe, archive, oneClick, postedBy } = config;
  const fields = {
    id: config.id ?? `${encodeURIComponent(name)}.${domain}`,
    ...(config.name === undefined ? {} : { name: config.name }),
    ...(help === undefined ? {} : { help }),
    ...(unsubscribe === undefined ? {} : { unsubscribe, oneClick }),
    ...(subscribe === undefined ? {} : { subscribe }),
    post: postedBy.length === 0 ? ('NO' as const) : (config.post ?? [mailto(address)]),
    owner: [mailto(owner)],
    ...(archive === undefined ? {} : { archive }),
  };
  const members = () => directory.expansionOf(address) ?? [];
  return { address, owner, verp, fields, members, mayPost: posting(postedBy, place) };
}

function addressOf(text: string, domain: string): string {
  return parseMailbox(text, { utf8: true }) === undefined ? `${text}@${domain}` : text;
}

function mailto(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = normalizeDomain(address.slice(at + 1)) ?? address.slice(at + 1);
  return `mailto:${encodeURIComponent(address.slice(0, at)).replace(/'/g, '%27')}@${domain}`;
}

/** Members are compared as who they are in the end: an alias and its mailbox are the same person. */
function posting(postedBy: ListConfig['postedBy'], { members, domain, directory }: Place): MailingList['mayPost'] {
  if (postedBy === 'anyone') return () => true;
  const keysOf = (address: string): string[] => {
    const expansion = directory.expand(address);
    return expansion.kind === 'loop' ? [] : [address, ...expansion.recipients].map(directory.keyOf);
  };
  let known: { readonly of: readonly string[]; readonly keys: ReadonlySet<string> } | undefined;
  return (reversePath) => {
    const of = postedBy === 'members' ? members() : postedBy;
    if (known?.of !== of) known = { of, keys: new Set(of.flatMap((each) => keysOf(addressOf(each, domain)))) };
    const { keys } = known;
    return keysOf(reversePath).some((key) => keys.has(key));
  };
}

/** The members that stand in a file, read again when it has changed. Throws Failure `storage` when it cannot be read. */
function memberFile(file: string, more: readonly string[]): () => readonly string[] {
  let known: { readonly version: string; readonly members: readonly string[] } | undefined;
  return () => {
    const version = versionOf(file);
    if (known?.version !== version) known = { version, members: [...more, ...readMembers(file)] };
    return known.members;
  };
}

function versionOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    throw new Failure('storage', `The members in ${file} cannot be read`, error);
  }
}

function readMembers(file: string): string[] {
  const read = readTextFile(file);
  if ('reason' in read) throw new Failure('storage', `The members in ${file} cannot be read: ${read.reason}`);
  const lines = read.text.split(/\r?\n/).map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  // A slip in one line must not keep the others from their mail.
  return lines.filter((line) => line !== '' && isMember(line));
}
