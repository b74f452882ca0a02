import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { parseAliasTarget } from '../directory/alias-target.ts';
import { createDirectory, type Directory } from '../directory/directory.ts';
import type { DirectoryDomain } from '../directory/directory-domain.ts';
import { localPart } from './mail-fields.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Members = { readonly [key: string]: Plain };

interface Context {
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  readonly directory: Directory;
}

/** Aliases that lead to nobody or round in a circle, names that stand for the same mailbox (RFC 5321 §3.9.1). */
export function directoryMistakes(config: Members): Mistake[] {
  const hostname = normalizeDomain(String(config.hostname)) ?? 'invalid';
  const mistakes: Mistake[] = [];
  const domains = new Map<string, DirectoryDomain>();
  const written = new Map<string, string>();
  for (const [name, members] of entriesOf(config.domains)) {
    const domain = normalizeDomain(name);
    if (!isRecord(members) || domain === undefined || domains.has(domain)) continue;
    const readable = readableDomain(members);
    const mistake = whyImpossible(name, readable);
    if (mistake !== undefined) mistakes.push(mistake);
    else written.set(name, domain) && domains.set(domain, readable);
  }
  const directory = createDirectory({ hostname, domains: Object.fromEntries(domains) });
  const named = [...written].map(([name, domain]) => [name, domains.get(domain)?.aliases ?? {}] as const);
  return [
    ...mistakes,
    ...named.flatMap(([name, aliases]) => aliasMistakes(name, { aliases, directory })),
    ...postmasterMistakes(config.postmaster, directory),
  ];
}

/** The well-formed part of a domain: what is faulty in itself is reported elsewhere. */
function readableDomain(members: Members): DirectoryDomain {
  const isName = (value: unknown): value is string => localPart().safeParse(value).success;
  const isTarget = (value: unknown): value is string =>
    typeof value === 'string' && parseAliasTarget(value, 'example.org') !== undefined;
  const aliases = entriesOf(members.aliases)
    .filter(([name]) => isName(name))
    .map(([name, targets]) => [name, elementsOf(targets).filter(isTarget)] as const);
  const mailboxes = members.mailboxes === '*' ? '*' : elementsOf(members.mailboxes).filter(isName);
  return {
    ...('mailboxes' in members ? { mailboxes } : {}),
    aliases: Object.fromEntries(aliases),
    relay: members.relay === true,
    caseSensitive: members.caseSensitive === true,
    ...(typeof members.separator === 'string' ? { separator: members.separator } : {}),
  };
}

function whyImpossible(name: string, readable: DirectoryDomain): Mistake | undefined {
  try {
    createDirectory({ hostname: 'localhost', domains: { [name]: readable } });
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {
      path: formatPath(['domains', name]),
      message: `cannot be: ${error.message}`,
      remedy: 'Leave out what is there twice.',
    };
  }
}

function aliasMistakes(name: string, { aliases, directory }: Context): Mistake[] {
  return Object.entries(aliases).flatMap(([alias, targets]) => {
    const way = ['domains', name, 'aliases', alias];
    const deadEnds = targets.flatMap((target, index) => deadEnd([...way, index], addressOf(target, name), directory));
    if (directory.expand(addressOf(alias, name)).kind !== 'loop') return deadEnds;
    const message = 'leads round in a circle, or to too many addresses';
    return [...deadEnds, { path: formatPath(way), message, remedy: 'Let it lead to mailboxes.' }];
  });
}

function addressOf(target: string, domainName: string): string {
  const text = target.replace(/^\\/, '');
  return text.includes('@') ? text : `${text}@${domainName}`;
}

function deadEnd(way: readonly PropertyKey[], address: string, directory: Directory): Mistake[] {
  if (directory.lookup(address).kind !== 'unknown-mailbox') return [];
  const message = `leads to ${address}, which is neither a mailbox nor an alias`;
  return [{ path: formatPath(way), message, remedy: 'Add the mailbox, or correct the name.' }];
}

function postmasterMistakes(postmaster: Plain | undefined, directory: Directory): Mistake[] {
  if (typeof postmaster !== 'string' || directory.lookup(postmaster).kind !== 'unknown-mailbox') return [];
  const remedy = 'Write an address that is read by somebody.';
  return [{ path: 'postmaster', message: `is ${postmaster}, which is no mailbox here`, remedy }];
}
