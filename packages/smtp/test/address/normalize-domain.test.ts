import { describe, expect, it } from 'vitest';
import { normalizeDomain } from '../../src/address/normalize-domain.ts';

describe('normalizeDomain', () => {
  it('gives one form to U-labels, A-labels, composed and decomposed letters, and any case', () => {
    for (const form of ['münchen.example', 'MÜNCHEN.Example', 'mu\u0308nchen.example', 'XN--mnchen-3ya.example']) {
      expect(normalizeDomain(form)).toBe('xn--mnchen-3ya.example');
    }
  });

  it('takes numbers for the labels they are', () => {
    expect(normalizeDomain('1.2.3')).toBe('1.2.3');
  });

  it('keeps the literals of IP addresses', () => {
    expect(normalizeDomain('[192.0.2.1]')).toBe('[192.0.2.1]');
    expect(normalizeDomain('[ipv6:2001:DB8::1]')).toBe('[IPv6:2001:db8::1]');
  });

  it('refuses what is neither', () => {
    for (const text of [
      '',
      '.',
      'a..b',
      '-a.example',
      'a b',
      '[x:y]',
      '[192.0.2]',
      'bad%2eü.example',
      'x y.ü',
      `${'a'.repeat(64)}.ü`,
    ]) {
      expect(normalizeDomain(text)).toBeUndefined();
    }
  });
});
