import { parseNetwork } from '@posthorn/smtp/address/network';
import { describe, expect, it } from 'vitest';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { DnsList, type DnsListRules } from '../../src/filters/dns-list.ts';
import { boundedLookups } from '../../src/filters/lookups.ts';

const minute = 60_000;
/** ::FFFF:7F00:2 and ::FFFF:7F00:1, reversed by nibbles. */
const six = (last: number) => `${last}.0.0.0.0.0.f.7.f.f.f.f${'.0'.repeat(20)}`;
const proven: FixtureZone = {
  '2.0.0.127.bl.example': { a: ['127.0.0.2'] },
  [`${six(2)}.bl.example`]: { a: ['127.0.0.2'] },
  'test.bl.example': { a: ['127.0.0.2'] },
};

function listOver(zone: FixtureZone, rules: Partial<DnsListRules> = {}) {
  let now = 0;
  let current = createFixtureResolver(zone);
  const asked: string[] = [];
  const resolver = {
    mx: current.mx,
    reverse: current.reverse,
    txt: (name: string) => current.txt(name),
    addresses: (name: string, family: 4 | 6) => {
      asked.push(name);
      return current.addresses(name, family);
    },
  };
  const list = new DnsList(
    { list: 'bl.example', of: 'client', score: 3, refuse: false, ...rules },
    { lookups: boundedLookups(resolver), now: () => now },
  );
  return {
    list,
    asked,
    wait: (time: number) => {
      now += time;
    },
    change: (next: FixtureZone) => {
      current = createFixtureResolver(next);
    },
  };
}

describe('a list that is asked by DNS', () => {
  it('SEC-BL-1 finds IPv4 by reversed octets, IPv6 by 32 reversed nibbles, names as they are', async () => {
    const v6 = `1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.bl.example`;
    const zone = { ...proven, '7.2.0.192.bl.example': { a: ['127.0.0.4'] }, [v6]: { a: ['127.0.0.3'] } };
    const { list, asked } = listOver(zone);
    expect(await list.find('192.0.2.7')).toEqual({
      filter: 'dnsbl bl.example',
      score: 3,
      text: '192.0.2.7 is listed (127.0.0.4)',
    });
    expect(await list.find('2001:db8::1')).toMatchObject({ text: '2001:db8::1 is listed (127.0.0.3)' });
    expect(await list.find('192.0.2.8')).toBeUndefined();
    expect(asked).toContain('8.2.0.192.bl.example');
    // Names are not for a list of addresses, nor the other way round.
    expect(await list.find('spam.example')).toBeUndefined();
    const names = listOver({ ...proven, 'spam.example.bl.example': { a: ['127.0.0.2'] } }, { of: 'sender' });
    expect(await names.list.find('spam.example')).toMatchObject({ text: 'spam.example is listed (127.0.0.2)' });
    expect(await names.list.find('192.0.2.7')).toBeUndefined();
  });

  it('SEC-BL-1 distrusts values outside 127.0.0.0/8, and chooses sublists by values or by bits', async () => {
    const zone = {
      ...proven,
      '1.2.0.192.bl.example': { a: ['203.0.113.9'] },
      '2.2.0.192.bl.example': { a: ['203.0.113.9', '127.0.0.10'] },
    };
    expect(await listOver(zone).list.find('192.0.2.1')).toBeUndefined();
    expect(await listOver(zone).list.find('192.0.2.2')).toMatchObject({ text: '192.0.2.2 is listed (127.0.0.10)' });
    const network = (text: string) => {
      const parsed = parseNetwork(text);
      return parsed === undefined ? [] : [parsed];
    };
    expect(await listOver(zone, { values: network('127.0.0.10/31') }).list.find('192.0.2.2')).toBeDefined();
    expect(await listOver(zone, { values: network('127.0.0.2') }).list.find('192.0.2.2')).toBeUndefined();
    expect(await listOver(zone, { mask: 8 }).list.find('192.0.2.2')).toBeDefined();
    expect(await listOver(zone, { mask: 5 }).list.find('192.0.2.2')).toBeUndefined();
  });

  it.each<[string, FixtureZone]>([
    ['has nothing', { example: {} }],
    ['answers to everything', { ...proven, '1.0.0.127.bl.example': { a: ['127.0.0.2'] } }],
    ['answers with what is no value', { '2.0.0.127.bl.example': { a: ['203.0.113.1'] } }],
  ])('SEC-BL-1 is not used when it %s', async (_, zone) => {
    const { list } = listOver({ ...zone, '7.2.0.192.bl.example': { a: ['127.0.0.2'] } });
    expect(await list.find('192.0.2.7')).toBeUndefined();
    expect((await list.prove()).ipv4).toBe(false);
  });

  it('SEC-BL-1 without IPv6 entries is used for IPv4 alone, and one that was given up is found out', async () => {
    const { '2.0.0.127.bl.example': four = {} } = proven;
    const only = { '2.0.0.127.bl.example': four, '7.2.0.192.bl.example': { a: ['127.0.0.2'] } };
    const { list, change, wait } = listOver(only);
    expect(await list.find('192.0.2.7')).toBeDefined();
    expect(await list.find('2001:db8::1')).toBeUndefined();
    change({ ...only, '1.0.0.127.bl.example': { a: ['127.0.0.2'] } });
    expect(await list.find('192.0.2.7')).toBeDefined();
    wait(60 * minute);
    expect(await list.find('192.0.2.7')).toBeUndefined();
  });

  it('SEC-BL-1 SEC-2505-2 lets mail pass while it cannot be asked, and is asked again a minute later', async () => {
    const entry = { '7.2.0.192.bl.example': { a: ['127.0.0.2'] } };
    const { list, change, wait } = listOver({ '2.0.0.127.bl.example': { fails: ['A'] }, ...entry });
    expect(await list.find('192.0.2.7')).toBeUndefined();
    change({ ...proven, ...entry });
    expect(await list.find('192.0.2.7')).toBeUndefined();
    wait(minute);
    expect(await list.find('192.0.2.7')).toBeDefined();
    change({ ...proven, '7.2.0.192.bl.example': { fails: ['A'] } });
    expect(await list.find('192.0.2.7')).toBeUndefined();
  });

  it('SEC-BL-1 tells its reason to whom it refuses, and nothing that would break the reply', async () => {
    const text = `see http://bl.example/\r\n250 ok\t${'x'.repeat(400)}`;
    const { list } = listOver(
      { ...proven, '7.2.0.192.bl.example': { a: ['127.0.0.2'], txt: [text] } },
      { refuse: true },
    );
    const { reply } = (await list.find('192.0.2.7')) ?? {};
    expect(reply).toMatchObject({ code: 550, status: '5.7.1' });
    expect(reply?.lines[0]).toMatch(
      /^192\.0\.2\.7 is listed by bl\.example: see http:\/\/bl\.example\/\?\?250 ok\?x{100,180}$/,
    );
  });
});
