import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkSpf } from '../../src/authentication/check-spf.ts';
import { createFixtureResolver, type FixtureHost } from '../../src/dns/fixture-resolver.ts';
import type { Resolver } from '../../src/dns/resolver.ts';

interface SuiteCase {
  readonly helo: string;
  readonly host: string;
  readonly mailfrom: string;
  readonly result: string | readonly string[];
  readonly explanation?: string;
}

type SuiteRecord = 'TIMEOUT' | Readonly<Record<string, string | readonly unknown[]>>;

interface Section {
  readonly description: string;
  readonly tests: Readonly<Record<string, SuiteCase>>;
  readonly zonedata: Readonly<Record<string, readonly SuiteRecord[]>>;
}

type Building = { -readonly [Key in keyof FixtureHost]: FixtureHost[Key] };

const file = new URL('data/spf/rfc7208-tests.yml', import.meta.url);
const sections = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Section | null);

/** Policies stand under SPF in the suite, and count as TXT where a name has no TXT of its own (see the head of the suite). */
function hostOf(name: string, records: readonly SuiteRecord[]): FixtureHost {
  const host: Building = {};
  const has = (type: string) => records.some((record) => typeof record === 'object' && type in record);
  for (const record of records) {
    if (record === 'TIMEOUT') {
      const answered = has('TXT') && !records.some((each) => typeof each === 'object' && each.TXT === 'NONE');
      host.fails = answered ? ['A', 'AAAA', 'MX', 'PTR'] : ['TXT', 'A', 'AAAA', 'MX', 'PTR'];
      continue;
    }
    const [type = '', value = ''] = Object.entries(record)[0] ?? [];
    const text = Array.isArray(value) ? value.join('') : String(value);
    if (type === 'TXT' ? text !== 'NONE' : type === 'SPF' && !has('TXT')) host.txt = [...(host.txt ?? []), text];
    if (type === 'A') host.a = [...(host.a ?? []), text];
    if (type === 'AAAA') host.aaaa = [...(host.aaaa ?? []), text.toLowerCase()];
    if (type === 'CNAME') host.cname = text;
    if (type === 'MX') host.mx = [...(host.mx ?? []), [Number(value[0]), String(value[1])] as const];
    if (type === 'PTR' && name !== '') host.ptr = [...(host.ptr ?? []), text];
  }
  return host;
}

function resolverOf(zone: Section['zonedata']): Resolver {
  return createFixtureResolver(
    Object.fromEntries(Object.entries(zone).map(([name, records]) => [name, hostOf(name, records)])),
  );
}

for (const section of sections) {
  if (section === null) continue;
  describe(`the SPF suite: ${section.description}`, () => {
    const resolver = resolverOf(section.zonedata);
    it.each(Object.entries(section.tests))('SEC-SPF-1 SEC-SPF-2 %s', async (_, test) => {
      const at = test.mailfrom.lastIndexOf('@');
      const answer = await checkSpf(
        {
          client: test.host,
          hello: test.helo,
          domain: test.mailfrom === '' ? test.helo : test.mailfrom.slice(at + 1),
          localPart: at < 0 ? '' : test.mailfrom.slice(0, at),
          receiver: 'receiver.example',
          now: 0,
        },
        resolver,
      );
      const wanted = typeof test.result === 'string' ? [test.result] : test.result;
      expect(wanted).toContain(answer.result);
      if (test.explanation !== undefined) expect(answer.explanation ?? 'DEFAULT').toBe(test.explanation);
    });
  });
}
