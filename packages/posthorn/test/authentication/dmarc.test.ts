import { headerFields } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDmarcRecord } from '../../src/authentication/dmarc-record.ts';
import { DmarcTree } from '../../src/authentication/dmarc-tree.ts';
import { type DmarcFacts, evaluateDmarc } from '../../src/authentication/evaluate-dmarc.ts';
import type { Lookups } from '../../src/authentication/lookups.ts';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';

const fieldsOf = (header: string) => [...headerFields(Buffer.from(header))];

function zone(records: Readonly<Record<string, string | readonly string[]>>, more: FixtureZone = {}) {
  const names = Object.entries(records).map(([name, txt]) => [`_dmarc.${name}`, { txt: [txt].flat() }]);
  return createFixtureResolver({ ...Object.fromEntries(names), ...more });
}

function watched(lookups: Lookups) {
  const asked: string[] = [];
  const txt = (name: string) => {
    asked.push(name);
    return lookups.txt(name);
  };
  return { asked, lookups: { ...lookups, txt } };
}

function judge(from: string, facts: Partial<DmarcFacts>, lookups: Pick<Lookups, 'txt' | 'mx'>) {
  return evaluateDmarc({ fields: fieldsOf(`From: ${from}\r\n`), spf: undefined, dkim: [], ...facts }, lookups);
}

const spf = (domain: string) => ({ spf: { result: 'pass', domain } as const });
const dkim = (domain: string) => ({ dkim: [{ result: 'pass', domain } as const] });

describe('a DMARC record', () => {
  it('SEC-DMARC-1 SEC-DMARC-2 is read tag by tag; what is unknown or of old, as pct, changes nothing', () => {
    expect(
      parseDmarcRecord('v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; t=y; pct=1; rua=mailto:a@b.c!9m'),
    ).toEqual({
      policy: 'reject',
      subdomains: 'none',
      nonexistent: 'quarantine',
      dkimAlignment: 's',
      spfAlignment: 'r',
      psd: 'u',
      testing: true,
      reportsTo: ['mailto:a@b.c'],
    });
    expect(parseDmarcRecord('v=DMARC1;p=none')).toMatchObject({ policy: 'none', testing: false });
    for (const bad of ['v=DMARC1', 'v=DMARC2; p=none', 'p=none; v=DMARC1', 'v=DMARC1; p=x', 'v=dmarc1; p=none'])
      expect(parseDmarcRecord(bad)).toBeUndefined();
    // Who wants reports gets them.
    expect(parseDmarcRecord('v=DMARC1; p=reject; sp=x; rua=mailto:a@b.c')).toMatchObject({ policy: 'none' });
  });

  it('SEC-DMARC-1 is read or not, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const record = parseDmarcRecord(`v=DMARC1; p=none; ${text}`);
        expect(record === undefined || ['none', 'quarantine', 'reject'].includes(record.policy)).toBe(true);
      }),
    );
  });
});

describe('the walk through the tree', () => {
  it('SEC-DMARC-1 asks for eight names at most, and goes from the domain itself to seven labels', async () => {
    const { asked, lookups } = watched(zone({ 'j.example': 'v=DMARC1; p=none' }));
    expect(await new DmarcTree(lookups).organizationOf('a.b.c.d.e.f.g.h.i.j.example')).toBe('j.example');
    expect(asked).toEqual([
      '_dmarc.a.b.c.d.e.f.g.h.i.j.example',
      '_dmarc.e.f.g.h.i.j.example',
      '_dmarc.f.g.h.i.j.example',
      '_dmarc.g.h.i.j.example',
      '_dmarc.h.i.j.example',
      '_dmarc.i.j.example',
      '_dmarc.j.example',
      '_dmarc.example',
    ]);
    const short = watched(zone({}));
    await new DmarcTree(short.lookups).organizationOf('a.b.example');
    expect(short.asked).toEqual(['_dmarc.a.b.example', '_dmarc.b.example', '_dmarc.example']);
  });

  it('SEC-DMARC-1 ends at psd=n, goes one below psd=y, and else to the fewest labels', async () => {
    const organization = (domain: string, records: Readonly<Record<string, string>>) =>
      new DmarcTree(zone(records)).organizationOf(domain);
    expect(
      await organization('a.b.c.example', {
        'b.c.example': 'v=DMARC1; p=none; psd=n',
        'c.example': 'v=DMARC1; p=none',
      }),
    ).toBe('b.c.example');
    expect(await organization('a.b.c.example', { 'c.example': 'v=DMARC1; p=none; psd=y' })).toBe('b.c.example');
    expect(await organization('c.example', { 'c.example': 'v=DMARC1; p=none; psd=y' })).toBe('c.example');
    expect(
      await organization('a.b.c.example', { 'b.c.example': 'v=DMARC1; p=none', 'c.example': 'v=DMARC1; p=none' }),
    ).toBe('c.example');
    expect(await organization('a.b.c.example', {})).toBe('a.b.c.example');
  });

  it('SEC-DMARC-1 takes several records of one name for none', async () => {
    const twice = ['v=DMARC1; p=reject', 'v=DMARC1; p=none'];
    expect(await judge('a@x.example', {}, zone({ 'x.example': twice }))).toMatchObject({ result: 'none' });
    const one = ['v=DMARC1; p=reject', 'other'];
    expect(await judge('a@x.example', {}, zone({ 'x.example': one }))).toMatchObject({ result: 'fail' });
  });
});

describe('the judgement of the domain of the author', () => {
  const records = zone(
    { 'x.example': 'v=DMARC1; p=reject; sp=quarantine; np=reject' },
    { 'is.x.example': { a: ['192.0.2.1'] } },
  );

  it('SEC-DMARC-1 takes p for the domain, sp for those below it, np for those that are not there', async () => {
    expect(await judge('a@x.example', {}, records)).toMatchObject({ result: 'fail', wanted: 'reject' });
    expect(await judge('a@is.x.example', {}, records)).toMatchObject({ result: 'fail', wanted: 'quarantine' });
    expect(await judge('a@not.x.example', {}, records)).toMatchObject({ result: 'fail', wanted: 'reject' });
    expect(await judge('a@other.example', {}, records)).toMatchObject({ result: 'none', wanted: 'none' });
  });

  it('SEC-DMARC-1 passes for what is aligned, relaxed by the organization, strict by the very name', async () => {
    const strict = zone({ 'x.example': 'v=DMARC1; p=reject; adkim=s; aspf=s' });
    for (const facts of [spf('is.x.example'), dkim('is.x.example')]) {
      expect(await judge('a@x.example', facts, records)).toMatchObject({ result: 'pass', wanted: 'none' });
      expect(await judge('a@x.example', facts, strict)).toMatchObject({ result: 'fail' });
    }
    expect(await judge('a@x.example', dkim('x.example'), strict)).toMatchObject({ result: 'pass', dkimAligned: true });
    expect(await judge('a@x.example', spf('y.example'), records)).toMatchObject({ result: 'fail' });
    const failing = { spf: { result: 'fail', domain: 'x.example' } as const };
    expect(await judge('a@x.example', failing, records)).toMatchObject({ result: 'fail' });
  });

  it('SEC-DMARC-2 is one step milder where the domain only tries its policy out', async () => {
    for (const [policy, wanted] of [
      ['reject', 'quarantine'],
      ['quarantine', 'none'],
      ['none', 'none'],
    ]) {
      const lookups = zone({ 'x.example': `v=DMARC1; p=${policy}; t=y` });
      expect(await judge('a@x.example', {}, lookups)).toMatchObject({ result: 'fail', wanted, published: policy });
    }
  });

  it('SEC-DMARC-2 says nothing while a look-up fails', async () => {
    const failing = createFixtureResolver({ '_dmarc.x.example': { fails: ['TXT'] } });
    expect(await judge('a@x.example', {}, failing)).toMatchObject({ result: 'temperror', wanted: 'none' });
    const later = { dkim: [{ result: 'temperror', domain: 'x.example' } as const] };
    expect(await judge('a@x.example', later, records)).toMatchObject({ result: 'temperror', wanted: 'none' });
  });

  it('SEC-DMARC-1 cannot be got round by a second author', async () => {
    expect(await judge('a@other.example, b@x.example', spf('other.example'), records)).toMatchObject({
      wanted: 'reject',
    });
    expect(await judge('a@other.example\r\nFrom: b@x.example', spf('other.example'), records)).toMatchObject({
      wanted: 'reject',
    });
    expect(await judge('nobody', {}, records)).toMatchObject({ result: 'permerror' });
  });
});
