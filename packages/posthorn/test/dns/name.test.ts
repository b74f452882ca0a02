import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeName, reverseName } from '../../src/dns/name.ts';

describe('reverseName', () => {
  it('turns an address round', () => {
    expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa');
    const zeros = '0.'.repeat(16);
    expect(reverseName('2001:db8::567:89ab')).toBe(`b.a.9.8.7.6.5.0.${zeros}8.b.d.0.1.0.0.2.ip6.arpa`);
    expect(reverseName('::ffff:192.0.2.1')).toBe(`1.0.2.0.0.0.0.c.f.f.f.f.${'0.'.repeat(20)}ip6.arpa`);
    expect(reverseName('fe80::1%eth0')).toBe(`1.${'0.'.repeat(28)}8.e.f.ip6.arpa`);
    expect(reverseName('example.test')).toBeUndefined();
  });
});

describe('normalizeName', () => {
  it('gives nothing that the wire form could not hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const name = normalizeName(text);
        if (name === undefined) return;
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(253);
        for (const label of name.split('.')) expect(Buffer.byteLength(label)).toBeLessThanOrEqual(63);
      }),
    );
  });
});
