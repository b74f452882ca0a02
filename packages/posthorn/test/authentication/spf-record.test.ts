import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSpf, type SpfQuestion } from '../../src/authentication/check-spf.ts';
import { parseSpfRecord } from '../../src/authentication/spf-record.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';

const question: SpfQuestion = {
  client: '192.0.2.1',
  domain: 'example.com',
  localPart: 'bob',
  hello: 'mail.example.com',
  receiver: 'mx.example.org',
  now: 0,
};

const term = fc.oneof(
  fc.constantFrom(
    'a',
    'mx/24//64',
    'ptr',
    '-all',
    '?include:%{d}',
    'ip4:192.0.2.0/33',
    'exp=%{l}.x.y',
    'redirect=a.b',
    '%',
  ),
  fc.string({ maxLength: 40 }),
);

describe('a policy', () => {
  it('SEC-SPF-1 is read or refused, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 20 }), (terms) => {
        const record = parseSpfRecord(`v=spf1 ${terms.join(' ')}`);
        expect(record === undefined || record.directives.length <= terms.join(' ').split(' ').length).toBe(true);
      }),
    );
  });

  it('SEC-SPF-1 gets a result for every client, whatever the domain and its policy are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(term, { maxLength: 8 }), fc.string(), fc.ipV6(), async (terms, localPart, client) => {
        const zone = { 'example.com': { txt: [`v=spf1 ${terms.join(' ')}`], a: ['192.0.2.7'] } };
        const { result } = await checkSpf({ ...question, client, localPart }, createFixtureResolver(zone));
        expect(['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror']).toContain(result);
      }),
    );
  });

  it('SEC-SPF-1 of a hundred thousand macros is read in time that grows with its length alone', () => {
    expect(parseSpfRecord(`v=spf1 exists:${'%{'.repeat(8000)}`)).toBeUndefined();
    expect(parseSpfRecord(`v=spf1 ${'a '.repeat(100_000)}`)).toBeUndefined();
  });
});
