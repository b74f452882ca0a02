import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import type { RecordType, RecordValues } from './lookup.ts';
import { normalizeName, reverseName } from './name.ts';
import { mostAliases } from './read-answer.ts';
import type { Answer, Resolver } from './resolver.ts';
import { resolverOver } from './resolver-over.ts';

/** What a fixture has under one name. */
export interface FixtureHost {
  /** Preference and exchange; `.` is the null MX. */
  readonly mx?: readonly (readonly [number, string])[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly txt?: readonly string[];
  readonly ptr?: readonly string[];
  readonly cname?: string;
  readonly tlsa?: readonly TlsaRecord[];
  /** The types whose look-up fails. */
  readonly fails?: readonly RecordType[];
  readonly secure?: boolean;
}

/** The whole name system of a fixture: by name, and for `ptr` by address. */
export type FixtureZone = Readonly<Record<string, FixtureHost>>;

/** Answers from a table as the stub resolver would from servers that hold it; what the table does not have is absent. */
export function createFixtureResolver(zone: FixtureZone): Resolver {
  const hosts = new Map(Object.entries(zone).map(([name, host]) => [fixtureName(name), host]));
  const answer = (type: RecordType, name: string, links = 0): Answer<unknown> => {
    const host = hosts.get(name);
    if (host?.fails?.includes(type) || links > mostAliases)
      return { kind: 'failed', text: `fixture: no ${type} of ${name}` };
    const secure = host?.secure ?? false;
    const records = host === undefined ? [] : fixtureRecords(host, type);
    if (records.length > 0) return { kind: 'found', records, secure };
    if (host?.cname !== undefined) {
      const target = fixtureName(host.cname);
      return weaken(throughAlias(answer(type, target, links + 1), target), secure);
    }
    return { kind: hasName(hosts, name) ? 'none' : 'absent', secure };
  };
  return resolverOver(async (type, name) => answer(type, name) as Answer<RecordValues[typeof type]>);
}

/** The name of an entry: of an address, the one its names are kept under. */
export function fixtureName(key: string): string {
  return reverseName(key) ?? normalizeName(key) ?? key;
}

function fixtureRecords(host: FixtureHost, type: RecordType): readonly unknown[] {
  if (type === 'MX')
    return (host.mx ?? []).map(([preference, exchange]) => ({ preference, exchange: exchange.toLowerCase() }));
  const texts = {
    A: host.a,
    AAAA: host.aaaa,
    TXT: host.txt,
    PTR: host.ptr,
    TLSA: host.tlsa,
    CNAME: host.cname === undefined ? [] : [fixtureName(host.cname)],
  };
  return texts[type] ?? [];
}

/** A name exists when one below it does (RFC 8020 §2). */
function hasName(hosts: ReadonlyMap<string, FixtureHost>, name: string): boolean {
  return hosts.has(name) || [...hosts.keys()].some((other) => other.endsWith(`.${name}`));
}

function throughAlias(answer: Answer<unknown>, target: string): Answer<unknown> {
  return answer.kind === 'found' ? { canonical: target, ...answer } : answer;
}

function weaken(answer: Answer<unknown>, secure: boolean): Answer<unknown> {
  return answer.kind === 'failed' ? answer : { ...answer, secure: answer.secure && secure };
}
