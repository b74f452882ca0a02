import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { parseAliasTarget } from '../directory/alias-target.ts';
import { createDirectory, type Directory } from '../directory/directory.ts';
import type { DirectoryDomain } from '../directory/directory-domain.ts';
import { deadEnd, isEndless } from './alias-checks.ts';
import { directoryFields } from './directory-fields.ts';
import { listMistakes, readableLists } from './list-checks.ts';
import { localPart } from './mail-fields.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Members = { readonly [key: string]: Plain };

/** The well-formed part of a domain: what is faulty in itself is reported elsewhere. */
interface Readable {
  readonly lists: ReturnType<typeof readableLists>;
  /** The mailboxes that answer by themselves. */
  readonly vacations: readonly string[];
  readonly domain: DirectoryDomain;
  /** Whether no file holds more of it. */
  readonly isWhole: boolean;
}

interface Context {
  readonly readable: Readable;
  readonly directory: Directory;
}

/** Aliases that lead to nobody or round in a circle, names that stand for the same mailbox (RFC 5321 §3.9.1). */
export function directoryMistakes(config: Members): Mistake[] {
  const hostname = normalizeDomain(String(config.hostname)) ?? 'invalid';
  const mistakes: Mistake[] = [];
  const domains = new Map<string, DirectoryDomain>();
  const readables = new Map<string, Readable>();
  for (const [name, members] of entriesOf(config.domains)) {
    const domain = normalizeDomain(name);
    if (!isRecord(members) || domain === undefined || domains.has(domain)) continue;
    const readable = readableDomain(members);
    const mistake = whyImpossible(name, readable.domain);
    if (mistake !== undefined) mistakes.push(mistake);
    else readables.set(name, readable) && domains.set(domain, readable.domain);
  }
  const directory = createDirectory({ hostname, domains: Object.fromEntries(domains) });
  return [
    ...mistakes,
    ...[...readables].flatMap(([name, readable]) => [
      ...aliasMistakes(name, { readable, directory }),
      ...settingsMistakes(name, { readable, directory }),
      ...(readable.isWhole ? listMistakes(name, readable.lists, directory) : []),
    ]),
    ...postmasterMistakes(config.postmaster, directory, [...readables.values()]),
  ];
}

function readableDomain(members: Members): Readable {
  const isName = (value: unknown): value is string => localPart().safeParse(value).success;
  const isTarget = (value: unknown): value is string =>
    typeof value === 'string' && parseAliasTarget(value, 'example.org') !== undefined;
  const aliases = entriesOf(members.aliases)
    .filter(([name]) => isName(name))
    .map(([name, targets]) => [name, elementsOf(targets).filter(isTarget)] as const);
  const gateways = entriesOf(members.batches).map(([gateway]) => gateway);
  const mailboxes = members.mailboxes === '*' ? '*' : [...elementsOf(members.mailboxes), ...gateways].filter(isName);
  const { forwards, mailboxSettings, gateway } = readableFields(members);
  const lists = readableLists(members.lists);
  const domain: DirectoryDomain = {
    ...('mailboxes' in members || gateways.length > 0 ? { mailboxes } : {}),
    aliases: Object.fromEntries(aliases),
    forwards,
    lists,
    mailboxSettings,
    ...(gateway === undefined ? {} : { gateway }),
    relay: members.relay === true,
    caseSensitive: members.caseSensitive === true,
    ...(typeof members.separator === 'string' ? { separator: members.separator } : {}),
  };
  const includes = aliases.some(([, targets]) => targets.some((target) => /^:include:/i.test(target)));
  const vacations = entriesOf(members.vacations)
    .map(([name]) => name)
    .filter(isName);
  return { domain, lists, vacations, isWhole: elementsOf(members.aliasFiles).length === 0 && !includes };
}

/** Each of the fields, where all of it is well formed. */
function readableFields(members: Members) {
  const { forwards, mailboxSettings, gateway } = directoryFields;
  return {
    forwards: forwards.safeParse(members.forwards).data ?? {},
    mailboxSettings: mailboxSettings.safeParse(members.mailboxSettings).data ?? {},
    gateway: gateway.safeParse(members.gateway).data,
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

/** Where files hold more aliases, what leads nowhere is known when they are read. */
function aliasMistakes(name: string, { readable, directory }: Context): Mistake[] {
  const aliases = Object.entries(readable.domain.aliases ?? {}).flatMap(([alias, targets]) => {
    const way = ['domains', name, 'aliases', alias];
    const deadEnds = readable.isWhole ? targets.flatMap((target, index) => deadEndAt([...way, index], target)) : [];
    return [...deadEnds, ...circleAt(way, alias)];
  });
  const forwards = Object.entries(readable.domain.forwards ?? {}).flatMap(([moved, { to, mode }]) => {
    const way = ['domains', name, 'forwards', moved, 'to'];
    const deadEnds = readable.isWhole ? deadEndAt(way, to) : [];
    return mode === 'refuse' ? deadEnds : [...deadEnds, ...circleAt(way, moved)];
  });
  return [...aliases, ...forwards];

  function circleAt(way: readonly PropertyKey[], from: string): Mistake[] {
    if (!isEndless(from, name, directory)) return [];
    const message = 'leads round in a circle, or to too many addresses';
    return [{ path: formatPath(way), message, remedy: 'Let it lead to mailboxes.' }];
  }

  function deadEndAt(way: readonly PropertyKey[], target: string): Mistake[] {
    const message = deadEnd(target, name, directory);
    const remedy = 'Add the mailbox, or correct the name.';
    return message === undefined ? [] : [{ path: formatPath(way), message, remedy }];
  }
}

/** Settings of a mailbox that is not there help nobody. */
function settingsMistakes(name: string, { readable, directory }: Context): Mistake[] {
  const named = { mailboxSettings: Object.keys(readable.domain.mailboxSettings ?? {}), vacations: readable.vacations };
  const places = Object.entries(named).flatMap(([field, names]) => names.map((mailbox) => [field, mailbox] as const));
  return places.flatMap(([field, mailbox]) => {
    if (directory.mailboxOf(`${mailbox}@${name}`) !== undefined || !readable.isWhole) return [];
    const path = formatPath(['domains', name, field, mailbox]);
    return [{ path, message: 'is no mailbox of the domain', remedy: 'Add the mailbox, or correct the name.' }];
  });
}

function postmasterMistakes(
  postmaster: Plain | undefined,
  directory: Directory,
  readables: readonly Readable[],
): Mistake[] {
  if (typeof postmaster !== 'string' || readables.some(({ isWhole }) => !isWhole)) return [];
  if (directory.lookup(postmaster).kind !== 'unknown-mailbox') return [];
  const remedy = 'Write an address that is read by somebody.';
  return [{ path: 'postmaster', message: `is ${postmaster}, which is no mailbox here`, remedy }];
}
