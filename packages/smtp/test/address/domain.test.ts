import { asciiDomain, formatLiteral, isDomain, parseLiteral } from '@posthorn/smtp/address/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domain, uDomain } from '../arbitraries.ts';

describe('isDomain', () => {
  it('ADR-6 takes labels of letters, digits and inner hyphens, a single one too', () => {
    for (const text of ['a', 'localhost', 'a-b.example', '3com.example', 'x--y', '1.2.3.4', `${'a'.repeat(63)}.b`]) {
      expect(isDomain(text), text).toBe(true);
    }
    fc.assert(fc.property(domain, (text) => isDomain(text)));
  });

  it('ADR-6 refuses underscores, empty labels, hyphens at an edge and a trailing dot', () => {
    for (const text of ['', '.', 'a_b', 'a..b', '.a', 'a.', '-a', 'a-', 'a.-b', 'a-.b', 'a b', 'a\n', '#1', 'a/b']) {
      expect(isDomain(text), text).toBe(false);
      expect(isDomain(text, true), text).toBe(false);
    }
  });

  it('ADR-11 takes domains of 255 octets with labels of 63, and no more', () => {
    const labels = `${'a'.repeat(63)}.`.repeat(3);
    expect(isDomain(labels + 'b'.repeat(63))).toBe(true);
    expect(isDomain(`${labels}${'b'.repeat(61)}.cc`)).toBe(false);
    expect(isDomain(`${'a'.repeat(64)}.b`)).toBe(false);
  });

  it('EXT-UTF8-1 takes U-labels only with SMTPUTF8, in one spelling alone', () => {
    fc.assert(fc.property(uDomain, (text) => isDomain(text, true) && !isDomain(text)));
    expect(isDomain('ÉCOLE.example', true)).toBe(true);
    for (const text of [
      '例え。jp',
      'ｅxample.com',
      'exa\u00admple.com',
      '-é.com',
      'é-.com',
      'é_.com',
      'é..com',
      'é.com.',
      'é\u0085.com',
      'é\u00a0.com',
      'é@b',
      `${'é'.repeat(60)}.com`,
    ]) {
      expect(isDomain(text, true), text).toBe(false);
    }
  });
});

describe('asciiDomain', () => {
  it('EXT-UTF8-4 gives the A-labels that DNS knows, in lower case', () => {
    expect(asciiDomain('MÜNCHEN.Example')).toBe('xn--mnchen-3ya.example');
    expect(asciiDomain('Example.ORG')).toBe('example.org');
    expect(asciiDomain('1.2.3')).toBe('1.2.3');
    expect(asciiDomain('测试.测试')).toBe('xn--0zwm56d.xn--0zwm56d');
    expect(asciiDomain('a_b')).toBeUndefined();
    expect(asciiDomain('[192.0.2.1]')).toBeUndefined();
    fc.assert(fc.property(uDomain, (text) => asciiDomain(asciiDomain(text) ?? '') === asciiDomain(text)));
  });
});

describe('parseLiteral', () => {
  it('ADR-7 reads IPv4 literals, each part 0 to 255 in one to three digits', () => {
    expect(parseLiteral('[192.0.2.1]')).toEqual({ family: 4, address: '192.0.2.1' });
    expect(parseLiteral('[0.0.0.0]')).toEqual({ family: 4, address: '0.0.0.0' });
    expect(parseLiteral('[255.255.255.255]')).toEqual({ family: 4, address: '255.255.255.255' });
    // Digits are decimal, whatever they begin with.
    expect(parseLiteral('[010.001.00.08]')).toEqual({ family: 4, address: '10.1.0.8' });
    for (const text of [
      '[256.0.0.1]',
      '[1.2.3]',
      '[1.2.3.4.5]',
      '[0001.2.3.4]',
      '[1.2.3.4 ]',
      '[1..2.3]',
      '[1.2.3.x]',
    ]) {
      expect(parseLiteral(text), text).toBeUndefined();
    }
  });

  it.each([
    '2001:db8:0:0:0:0:0:1',
    '2001:db8::1',
    '::1',
    '::',
    '1::',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:192.0.2.1',
    '1:2:3:4:5:6::',
    'FFFF::aBcD',
  ])('ADR-8 reads the IPv6 literal of %s, its tag in any case', (address) => {
    expect(parseLiteral(`[IPv6:${address}]`)).toEqual({ family: 6, address });
    expect(parseLiteral(`[ipV6:${address}]`)).toEqual({ family: 6, address });
    expect(parseLiteral(`[${address}]`)).toBeUndefined();
  });

  it.each([
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::',
    '::1::',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:192.0.2.1',
    '192.0.2.1::',
    '::192.0.2.1:1',
    '::256.0.0.1',
    '1:',
    'fe80::1%eth0',
  ])('ADR-8 refuses the IPv6 literal of %j', (address) => {
    expect(parseLiteral(`[IPv6:${address}]`)).toBeUndefined();
  });

  it('ADR-9 reads other tagged literals by their tag', () => {
    expect(parseLiteral('[X400:c=de/a=x]')).toEqual({ family: 'other', tag: 'X400' });
    for (const text of [
      '[x]',
      '[x:]',
      '[:x]',
      '[x:a b]',
      '[x:a[b]',
      '[x:a\\b]',
      '[-:x]',
      'x:y',
      '[x:y',
      `[x:${'y'.repeat(255)}]`,
    ]) {
      expect(parseLiteral(text), text).toBeUndefined();
    }
  });

  it('ADR-7 ADR-8 gives back the addresses of the literals it wrote', () => {
    for (const address of ['192.0.2.1', '2001:db8::1']) {
      expect(parseLiteral(formatLiteral(address))).toMatchObject({ address });
    }
  });
});
