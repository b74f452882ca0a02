import { describe, expect, it } from 'vitest';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { checkHelloName } from '../../src/filters/hello-name.ts';
import { boundedLookups } from '../../src/filters/lookups.ts';
import { checkReverseName } from '../../src/filters/reverse-name.ts';
import { checkSenderDomain } from '../../src/filters/sender-domain.ts';

const lookups = (zone: FixtureZone) => boundedLookups(createFixtureResolver(zone));

describe('the name of an address', () => {
  const zone: FixtureZone = {
    '192.0.2.1': { ptr: ['mx.example'] },
    'mx.example': { a: ['192.0.2.1'] },
    '192.0.2.2': { ptr: ['mx.example'] },
    '192.0.2.4': { fails: ['PTR'] },
    '2001:db8::1': { ptr: ['six.example'] },
    'six.example': { aaaa: ['2001:db8::1'] },
  };

  it('ENH-7d only counts by default when there is none, or one that does not lead back', async () => {
    const check = (address: string) => checkReverseName(lookups(zone), address, 'score');
    expect(await check('192.0.2.1')).toBeUndefined();
    expect(await check('2001:db8::1')).toBeUndefined();
    expect(await check('192.0.2.2')).toEqual({ filter: 'reverse-dns', score: 1, text: 'the name does not lead back' });
    expect(await check('192.0.2.3')).toEqual({ filter: 'reverse-dns', score: 2, text: 'no name' });
    expect(await check('192.0.2.4')).toMatchObject({ score: 0 });
  });

  it('ENH-7d REP-550 SEC-2505-2 refuses with X.7.25 where it is told to, for now when it cannot be looked up', async () => {
    const check = (address: string) => checkReverseName(lookups(zone), address, 'refuse');
    expect((await check('192.0.2.3'))?.reply).toMatchObject({ code: 550, status: '5.7.25' });
    expect((await check('192.0.2.4'))?.reply).toMatchObject({ code: 450, status: '4.7.25' });
    expect((await check('192.0.2.2'))?.reply).toBeUndefined();
  });
});

describe('the domain of a sender', () => {
  const zone: FixtureZone = {
    'good.example': { mx: [[10, 'mx.good.example']] },
    'bare.example': { a: ['192.0.2.1'] },
    'none.example': { mx: [[0, '.']] },
    'empty.example': { txt: ['x'] },
    'trouble.example': { fails: ['MX'] },
    'half.example': { fails: ['AAAA'] },
  };

  it('ENH-7d REP-450 SEC-2505-2 is refused with X.7.27 for a null MX, and never for good when DNS is in trouble', async () => {
    const check = async (domain: string) => (await checkSenderDomain(lookups(zone), domain, 'refuse'))?.reply;
    expect(await check('good.example')).toBeUndefined();
    expect(await check('bare.example')).toBeUndefined();
    expect(await check('[192.0.2.1]')).toBeUndefined();
    expect(await check('none.example')).toMatchObject({ code: 550, status: '5.7.27' });
    expect(await check('absent.example')).toMatchObject({ code: 550, status: '5.1.8' });
    expect(await check('empty.example')).toMatchObject({ code: 550, status: '5.1.8' });
    expect(await check('trouble.example')).toMatchObject({ code: 450, status: '4.1.8' });
    expect(await check('half.example')).toMatchObject({ code: 450, status: '4.1.8' });
  });

  it('only counts otherwise, and not at all what is not known', async () => {
    const check = (domain: string) => checkSenderDomain(lookups(zone), domain, 'score');
    expect(await check('none.example')).toEqual({ filter: 'sender-domain', score: 5, text: 'null MX' });
    expect(await check('trouble.example')).toMatchObject({ score: 0 });
  });
});

describe('the name that a client greets with', () => {
  const zone: FixtureZone = {
    'mx.example': { a: ['192.0.2.1'] },
    'trouble.example': { fails: ['A', 'AAAA', 'MX'] },
  };
  const check = (name: string, strictness: 'score' | 'refuse' = 'score') =>
    checkHelloName(
      lookups(zone),
      { name, clientAddress: '203.0.113.7', hostname: 'mx.example.org', localAddress: '192.0.2.25' },
      strictness,
    );

  it.each([
    ['mx.example', undefined],
    ['trouble.example', undefined],
    ['[203.0.113.7]', undefined],
    ['[203.0.113.8]', 1],
    ['MX.Example.ORG', 3],
    ['[192.0.2.25]', 3],
    ['single', 1],
    ['nowhere.example', 1],
  ])('SEC-2505-2 counts %s as %s', async (name, score) => {
    expect((await check(name))?.score).toBe(score);
    expect((await check(name))?.reply).toBeUndefined();
  });

  it('is refused alone when it is that of this host', async () => {
    expect((await check('mx.example.org', 'refuse'))?.reply).toMatchObject({ code: 550, status: '5.7.1' });
    expect((await check('nowhere.example', 'refuse'))?.reply).toBeUndefined();
    expect((await check('trouble.example', 'refuse'))?.reply).toBeUndefined();
  });
});
