import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import { describe, expect, it } from 'vitest';
import { findHosts, type HostFinder } from '../../src/agents/find-hosts.ts';
import { findTlsa } from '../../src/agents/find-tlsa.ts';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import type { Resolver } from '../../src/dns/resolver.ts';

const signal = AbortSignal.timeout(60_000);
const record: TlsaRecord = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 1) };
const useless: TlsaRecord = { ...record, usage: 0 };

/** What is found for the first host of example.test, and under which names it was looked for. */
async function find(zone: FixtureZone, port = 25): Promise<{ found: string; asked: string[] }> {
  const fixture = createFixtureResolver(zone);
  const asked: string[] = [];
  const resolver: Resolver = {
    ...fixture,
    tlsa(name, ...more) {
      asked.push(name);
      return fixture.tlsa(name, ...more);
    },
  };
  const finder: HostFinder = { resolver, ownNames: [], ownAddresses: [], families: [4], chance: () => 0 };
  const hosts = await findHosts({ domain: 'example.test', lookupMx: true, signal }, finder);
  const host = hosts.kind === 'hosts' ? hosts.hosts[0] : undefined;
  if (host === undefined) return { found: 'no host', asked };
  const { dane, base } = await findTlsa({ host, port, signal }, resolver);
  return { found: `${dane} ${base}`, asked };
}

const domain = { mx: [[10, 'mx.test']], secure: true } as const;
const signed = { a: ['192.0.2.1'], secure: true };

describe('findTlsa', () => {
  it('SEC-DANE-3 asks for the port of the host, where all on the way is signed', async () => {
    const zone = { 'example.test': domain, 'mx.test': signed, '_25._tcp.mx.test': { tlsa: [record], secure: true } };
    expect(await find(zone)).toEqual({ found: 'usable mx.test', asked: ['_25._tcp.mx.test'] });
    expect(await find(zone, 2525)).toEqual({ found: 'absent mx.test', asked: ['_2525._tcp.mx.test'] });
  });

  it('SEC-DANE-3 asks for none of a host that unsigned records name, or whose addresses are not signed', async () => {
    const tlsa = { '_25._tcp.mx.test': { tlsa: [record], secure: true } };
    const unsigned = { mx: domain.mx };
    expect(await find({ 'example.test': unsigned, 'mx.test': signed, ...tlsa })).toEqual({
      found: 'absent mx.test',
      asked: [],
    });
    expect(await find({ 'example.test': domain, 'mx.test': { a: ['192.0.2.1'] }, ...tlsa })).toEqual({
      found: 'absent mx.test',
      asked: [],
    });
  });

  it('SEC-DANE-3 asks under the name behind aliases first, then under that of the host', async () => {
    const aliased = {
      'example.test': domain,
      'mx.test': { cname: 'real.test', secure: true },
      'real.test': signed,
      '_25._tcp.mx.test': { tlsa: [record], secure: true },
    };
    expect(await find(aliased)).toEqual({
      found: 'usable mx.test',
      asked: ['_25._tcp.real.test', '_25._tcp.mx.test'],
    });
    const real = { ...aliased, '_25._tcp.real.test': { tlsa: [record], secure: true } };
    expect(await find(real)).toEqual({ found: 'usable real.test', asked: ['_25._tcp.real.test'] });
  });

  it('SEC-DANE-3 asks under the name of the host alone where a signed alias leads to what is not signed', async () => {
    const zone = (secure: boolean) => ({
      'example.test': domain,
      'mx.test': { cname: 'real.test', secure },
      'real.test': { a: ['192.0.2.1'] },
      '_25._tcp.mx.test': { tlsa: [record], secure: true },
      '_25._tcp.real.test': { tlsa: [record], secure: true },
    });
    expect(await find(zone(true))).toEqual({ found: 'usable mx.test', asked: ['_25._tcp.mx.test'] });
    expect(await find(zone(false))).toEqual({ found: 'absent mx.test', asked: [] });
  });

  it('SEC-DANE-2 tells records without use, without a signature, and those that cannot be looked up apart', async () => {
    const zone = (tlsa: FixtureZone[string]) => ({
      'example.test': domain,
      'mx.test': signed,
      '_25._tcp.mx.test': tlsa,
    });
    const found = async (tlsa: FixtureZone[string]) => (await find(zone(tlsa))).found;
    expect(await found({ tlsa: [useless], secure: true })).toBe('unusable mx.test');
    expect(await found({ tlsa: [useless, record], secure: true })).toBe('usable mx.test');
    expect(await found({ tlsa: [record] })).toBe('absent mx.test');
    expect(await found({ secure: true })).toBe('absent mx.test');
    expect(await found({ fails: ['TLSA'] })).toBe('failed mx.test');
    const alias = { cname: 'real.test', secure: true, fails: ['CNAME'] as const };
    expect((await find({ 'example.test': domain, 'mx.test': alias, 'real.test': { a: ['192.0.2.1'] } })).found).toBe(
      'failed mx.test',
    );
  });
});
