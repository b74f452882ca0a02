import { describe, expect, it } from 'vitest';
import { type FoundHosts, findHosts, type HostFinder, type HostQuery } from '../../src/agents/find-hosts.ts';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import type { Resolver } from '../../src/dns/resolver.ts';

/** Remembers what was asked. */
function watch(resolver: Resolver): { resolver: Resolver; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolver: {
      ...resolver,
      mx: (domain, signal) => {
        asked.push(`MX ${domain}`);
        return resolver.mx(domain, signal);
      },
      addresses: (host, family, signal) => {
        asked.push(`${family === 4 ? 'A' : 'AAAA'} ${host}`);
        return resolver.addresses(host, family, signal);
      },
    },
  };
}

async function find(zone: FixtureZone, options: Partial<HostQuery & HostFinder> = {}) {
  const { resolver, asked } = watch(createFixtureResolver(zone));
  const {
    domain = 'example.test',
    lookupMx = true,
    configured = false,
    signal = AbortSignal.timeout(10_000),
    ...finder
  } = options;
  const own = { ownNames: ['own.test'], ownAddresses: ['192.0.2.100', '2001:db8::100'] };
  const parts = { resolver, families: [4, 6] as const, chance: () => 0, ...own, ...finder };
  return { found: await findHosts({ domain, lookupMx, configured, signal }, parts), asked };
}

function texts(found: FoundHosts): string[] {
  if (found.kind === 'outcome') return [`${found.outcomeKind} ${found.status}`];
  return found.hosts.map(({ name, addresses }) => `${name} ${addresses.map(({ address }) => address).join(' ')}`);
}

describe('findHosts', () => {
  it('CLI-MX-1 goes through the exchangers by preference, following an alias at the domain', async () => {
    const zone: FixtureZone = {
      'alias.test': { cname: 'example.test' },
      'example.test': {
        mx: [
          [20, 'b.test'],
          [10, 'a.test'],
        ],
      },
      'a.test': { a: ['192.0.2.1'] },
      'b.test': { a: ['192.0.2.2'] },
    };
    expect(texts((await find(zone)).found)).toEqual(['a.test 192.0.2.1', 'b.test 192.0.2.2']);
    expect(texts((await find(zone, { domain: 'alias.test' })).found)).toEqual(['a.test 192.0.2.1', 'b.test 192.0.2.2']);
  });

  it('CLI-MX-2 keeps the addresses of one host in the order of the resolver, whatever chance says', async () => {
    const zone = {
      'example.test': { mx: [[1, 'a.test']] },
      'a.test': { a: ['192.0.2.3', '192.0.2.1', '192.0.2.2'] },
    } as const;
    for (const chance of [0, 0.5, 0.99]) {
      expect(texts((await find(zone, { chance: () => chance })).found)).toEqual([
        'a.test 192.0.2.3 192.0.2.1 192.0.2.2',
      ]);
    }
  });

  it('CLI-MX-3 takes the addresses of the domain itself only when it has no exchanger', async () => {
    const bare = await find({ 'example.test': { a: ['192.0.2.1'] } });
    expect(texts(bare.found)).toEqual(['example.test 192.0.2.1']);
    const broken = await find({ 'example.test': { a: ['192.0.2.1'], mx: [[1, 'gone.test']] } });
    expect(texts(broken.found)).toEqual(['failed 5.4.4']);
    expect(broken.asked).not.toContain('A example.test');
  });

  it('CLI-MX-4 asks for no address of a domain with a null MX', async () => {
    const { found, asked } = await find({ 'example.test': { a: ['192.0.2.1'], mx: [[0, '.']] } });
    expect(texts(found)).toEqual(['failed 5.1.10']);
    expect(asked).toEqual(['MX example.test']);
    const beside = {
      'example.test': {
        mx: [
          [0, '.'],
          [5, 'a.test'],
        ],
      },
      'a.test': { a: ['192.0.2.1'] },
    } as const;
    expect(texts((await find(beside)).found)).toEqual(['a.test 192.0.2.1']);
  });

  it('CLI-MX-5 ENH-4/4.4.3 ENH-4/4.4.4 ENH-4/5.4.4 fails, or defers when a look-up failed for now', async () => {
    expect(texts((await find({})).found)).toEqual(['failed 5.1.2']);
    expect(texts((await find({ 'example.test': { fails: ['MX'], a: ['192.0.2.1'] } })).found)).toEqual([
      'deferred 4.4.3',
    ]);
    const mx = {
      'example.test': {
        mx: [
          [1, 'a.test'],
          [2, 'b.test'],
        ],
      },
    } as const;
    expect(texts((await find({ ...mx, 'a.test': { txt: ['x'] } })).found)).toEqual(['failed 5.4.4']);
    expect(texts((await find({ ...mx, 'b.test': { fails: ['A'] } })).found)).toEqual(['deferred 4.4.4']);
    expect(
      texts((await find({ ...mx, 'a.test': { fails: ['A', 'AAAA'] }, 'b.test': { a: ['192.0.2.2'] } })).found),
    ).toEqual(['b.test 192.0.2.2']);
    expect(texts((await find({ 'example.test': { txt: ['x'] } })).found)).toEqual(['failed 5.4.4']);
  });

  it('CLI-MX-6 cuts itself, by name or by address, and all that is no better', async () => {
    const zone: FixtureZone = {
      'example.test': {
        mx: [
          [1, 'a.test'],
          [5, 'us.test'],
          [5, 'equal.test'],
          [9, 'worse.test'],
        ],
      },
      'a.test': { a: ['192.0.2.1'] },
      'us.test': { a: ['192.0.2.100'] },
      'equal.test': { a: ['192.0.2.2'] },
      'worse.test': { a: ['192.0.2.3'] },
      'own.test': { a: ['198.51.100.1'] },
      'named.test': { mx: [[1, 'Own.test']] },
      'six.test': { aaaa: ['2001:db8:0::100'] },
      'any.test': { a: ['0.0.0.0'] },
    };
    expect(texts((await find(zone)).found)).toEqual(['a.test 192.0.2.1']);
    for (const domain of ['us.test', 'named.test', 'six.test', 'any.test', 'own.test', '[192.0.2.100]']) {
      expect(texts((await find(zone, { domain })).found), domain).toEqual(['failed 5.4.6']);
    }
  });

  it('CLI-MX-6 waits for a better host whose look-up failed, and does not call that a loop', async () => {
    const zone: FixtureZone = {
      'example.test': {
        mx: [
          [1, 'a.test'],
          [5, 'us.test'],
        ],
      },
      'a.test': { fails: ['A', 'AAAA'] },
      'us.test': { a: ['192.0.2.100'] },
    };
    expect(texts((await find(zone)).found)).toEqual(['deferred 4.4.4']);
  });

  it('CLI-MX-7 gives so many hosts and addresses as are wanted, and goes on to further ones when the first are of no use', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `mx${index}.test`);
    const many = Array.from({ length: 9 }, (_, index) => `192.0.2.${index}`);
    const zone: FixtureZone = {
      'example.test': { mx: names.map((name, index) => [index, name] as const) },
      ...Object.fromEntries(names.map((name, index) => [name, index < 4 ? {} : { a: many, aaaa: ['2001:db8::1'] }])),
    };
    const { found, asked } = await find(zone, { mostHosts: 3, mostAddresses: 2 });
    const addresses = '2001:db8::1 192.0.2.0 192.0.2.1';
    expect(texts(found)).toEqual([`mx4.test ${addresses}`, `mx5.test ${addresses}`, `mx6.test ${addresses}`]);
    expect(asked).toHaveLength(1 + 2 * 9);
    const all = await find(zone);
    expect(all.found.kind === 'hosts' && all.found.hosts).toHaveLength(5);
  });

  it('CLI-MX-8 connects to an address literal without asking anyone', async () => {
    const four = await find({}, { domain: '[198.51.100.7]' });
    expect(four.found).toEqual({
      kind: 'hosts',
      hosts: [{ name: '[198.51.100.7]', addresses: [{ address: '198.51.100.7', family: 4 }] }],
    });
    const six = await find({}, { domain: '[IPv6:2001:db8::7]' });
    expect(texts(six.found)).toEqual(['[IPv6:2001:db8::7] 2001:db8::7']);
    expect([...four.asked, ...six.asked]).toEqual([]);
    expect(texts((await find({}, { domain: '[198.51.100.7]', families: [6] })).found)).toEqual(['failed 5.4.4']);
  });

  it('CLI-MX-9 asks in the families that the host has, puts IPv6 first, and lets a broken AAAA hide nothing', async () => {
    const zone: FixtureZone = {
      'example.test': {
        mx: [
          [1, 'a.test'],
          [2, 'six.test'],
          [3, 'bad.test'],
        ],
      },
      'a.test': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1', '2001:db8::2'] },
      'six.test': { aaaa: ['2001:db8::6'] },
      'bad.test': { a: ['192.0.2.9'], fails: ['AAAA'] },
    };
    expect(texts((await find(zone)).found)).toEqual([
      'a.test 2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2',
      'six.test 2001:db8::6',
      'bad.test 192.0.2.9',
    ]);
    const four = await find(zone, { families: [4] });
    expect(texts(four.found)).toEqual(['a.test 192.0.2.1 192.0.2.2', 'bad.test 192.0.2.9']);
    expect(four.asked.some((query) => query.startsWith('AAAA'))).toBe(false);
    expect(texts((await find(zone, { families: [4], domain: 'six.test' })).found)).toEqual(['failed 5.4.4']);
  });

  it('CLI-MX-10 follows an exchanger that is an alias, and skips one that is an address', async () => {
    const zone: FixtureZone = {
      'example.test': {
        mx: [
          [1, '192.0.2.66'],
          [2, 'alias.test'],
        ],
      },
      'alias.test': { cname: 'a.test' },
      'a.test': { a: ['192.0.2.1'] },
    };
    const { found, asked } = await find(zone);
    expect(texts(found)).toEqual(['alias.test 192.0.2.1']);
    expect(asked).toEqual(['MX example.test', 'AAAA alias.test', 'A alias.test']);
  });

  it('CLI-MX-12 takes a configured host as it is, bounces nothing for its sake, and may be another port of this host', async () => {
    const zone: FixtureZone = {
      'hub.test': { mx: [[1, 'other.test']], a: ['192.0.2.5'] },
      'own.test': { a: ['192.0.2.100'] },
    };
    const configured = { configured: true, lookupMx: false };
    const hub = await find(zone, { ...configured, domain: 'hub.test' });
    expect(texts(hub.found)).toEqual(['hub.test 192.0.2.5']);
    expect(hub.asked).not.toContain('MX hub.test');
    expect(texts((await find(zone, { ...configured, domain: 'own.test' })).found)).toEqual(['own.test 192.0.2.100']);
    expect(texts((await find(zone, { ...configured, domain: '192.0.2.100' })).found)).toEqual([
      '[192.0.2.100] 192.0.2.100',
    ]);
    expect(texts((await find(zone, { ...configured, domain: 'gone.test' })).found)).toEqual(['deferred 4.4.4']);
    expect(texts((await find(zone, { configured: true, domain: 'gone.test' })).found)).toEqual(['deferred 4.1.2']);
  });

  it('defers when it is told to give up', async () => {
    expect(texts((await find({}, { signal: AbortSignal.abort() })).found)).toEqual(['deferred 4.4.3']);
  });
});
