import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatStsPolicy, namesHost, parseStsPolicy, stsPolicyId } from '../../src/routing/sts-policy.ts';

describe('stsPolicyId', () => {
  it.each<[readonly string[], string | undefined]>([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1;id=1'], '1'],
    [['v=STSv1; x=y; id=1; z.a-b_c=d'], '1'],
    [['v=spf1 -all', 'v=STSv1; id=1;', 'STSv1; id=2'], '1'],
    [['v=STSv1; id=1;', 'v=STSv1; id=2;'], undefined],
    [['v=STSv1; id=1;', 'v=STSv1;'], undefined],
    [['v=STSv1;'], undefined],
    [['v=STSv1 ; id=1'], undefined],
    [['V=STSv1; id=1'], undefined],
    [['v=STSv2; id=1'], undefined],
    [[' v=STSv1; id=1'], undefined],
    [['v=STSv1; id=1; id=2'], undefined],
    [['v=STSv1; ID=1'], undefined],
    [['v=STSv1; id=a-b'], undefined],
    [['v=STSv1; id='], undefined],
    [['v=STSv1; id=1; broken'], undefined],
    [[`v=STSv1; id=${'a'.repeat(32)}`], 'a'.repeat(32)],
    [[`v=STSv1; id=${'a'.repeat(33)}`], undefined],
    [[], undefined],
  ])('SEC-STS-1 SEC-STS-3 finds in %j the id %j', (records, id) => {
    expect(stsPolicyId(records)).toBe(id);
  });
});

const good = 'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n';
const policy = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAge: 604_800 };

describe('parseStsPolicy', () => {
  it('SEC-STS-1 SEC-STS-3 reads lines that end in CRLF or LF, skips unknown keys, and takes the first of doubled ones', () => {
    expect(parseStsPolicy(good)).toEqual(policy);
    expect(parseStsPolicy(good.replaceAll('\r\n', '\n').trimEnd())).toEqual(policy);
    expect(parseStsPolicy(good.replaceAll(': ', ':'))).toEqual(policy);
    expect(parseStsPolicy(`${good}x-more: 1\r\nmode: none\r\nmax_age: 1\r\n`)).toEqual(policy);
    expect(parseStsPolicy(good.replace('mail.example.com', 'MAIL.Example.COM'))).toEqual(policy);
    expect(parseStsPolicy('version: STSv1\nmode: none\nmax_age: 0\n')).toEqual({ mode: 'none', mx: [], maxAge: 0 });
    expect(parseStsPolicy(good.replace('604800', '9999999999'))?.maxAge).toBe(31_557_600);
  });

  it.each([
    ['', ''],
    ['version: STSv1', 'version: STSv2'],
    ['version: STSv1\r\n', ''],
    ['mode: enforce', 'mode: Enforce'],
    ['mode: enforce', 'mode: sometimes'],
    ['mode: enforce\r\n', ''],
    ['max_age: 604800', 'max_age: -1'],
    ['max_age: 604800', 'max_age: 1d'],
    ['max_age: 604800\r\n', ''],
    ['mx: mail.example.com\r\nmx: *.example.net\r\n', ''],
    ['*.example.net', 'a.*.example.net'],
    ['*.example.net', '*'],
    ['*.example.net', '192.0.2.1/24'],
    ['*.example.net', '[192.0.2.1]'],
    ['*.example.net', 'b\u00fccher.example'],
    ['\r\nmax_age', '\r\ngarbage\r\nmax_age'],
  ])('SEC-STS-3 takes no policy in which %j is %j', (from, to) => {
    expect(parseStsPolicy(from === '' ? '' : good.replace(from, to))).toBeUndefined();
  });

  it('reads what it writes, and ends with anything', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
    const pattern = fc.tuple(fc.boolean(), label, label).map(([any, a, b]) => `${any ? '*.' : ''}${a}.${b}`);
    const policies = fc.record({
      mode: fc.constantFrom('enforce', 'testing'),
      mx: fc.array(pattern, { minLength: 1, maxLength: 5 }),
      maxAge: fc.integer({ min: 0, max: 31_557_600 }),
    });
    fc.assert(
      fc.property(policies, (each) => {
        expect(parseStsPolicy(formatStsPolicy(each))).toEqual(each);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseStsPolicy(text)));
    fc.assert(fc.property(fc.array(fc.string()), (records) => void stsPolicyId(records)));
  });
});

describe('namesHost', () => {
  it('SEC-STS-1 lets a star stand for exactly one label', () => {
    const mx = ['mail.example.com', '*.example.net'];
    const named = ['mail.example.com', 'MAIL.EXAMPLE.COM', 'a.example.net'];
    const strange = [
      'example.com',
      'x.mail.example.com',
      'example.net',
      'a.b.example.net',
      '.example.net',
      'aexample.net',
    ];
    expect(named.filter((host) => !namesHost({ mx }, host))).toEqual([]);
    expect(strange.filter((host) => namesHost({ mx }, host))).toEqual([]);
  });
});
