import { isIP } from 'node:net';
import { networkMatcher, parseNetwork } from '@posthorn/smtp/address/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function matcherOf(...texts: string[]) {
  return networkMatcher(texts.map((text) => parseNetwork(text)).filter((network) => network !== undefined));
}

describe('a network', () => {
  it('is an address with the length of its prefix, or one address', () => {
    expect(parseNetwork('10.0.0.0/8')).toEqual({ family: 4, address: '10.0.0.0', prefix: 8 });
    expect(parseNetwork('192.0.2.1')).toEqual({ family: 4, address: '192.0.2.1', prefix: 32 });
    expect(parseNetwork('2001:db8::/32')).toEqual({ family: 6, address: '2001:db8::', prefix: 32 });
    expect(parseNetwork('::1')).toEqual({ family: 6, address: '::1', prefix: 128 });
  });

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    'localhost',
    '01.2.3.4',
  ])('is not %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('holds the addresses of its prefix and no others', () => {
    const matches = matcherOf('10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1');
    for (const inside of ['10.0.0.0', '10.255.255.255', '192.0.2.7', '2001:db8:ffff::1', '::1'])
      expect(matches(inside)).toBe(true);
    for (const outside of ['11.0.0.0', '9.255.255.255', '192.0.2.8', '2001:db9::', '::2'])
      expect(matches(outside)).toBe(false);
  });

  it('takes an IPv4 address in its IPv6 form for the same address, and looks past a zone', () => {
    const matches = matcherOf('10.0.0.0/8', 'fe80::/10');
    expect(matches('::ffff:10.1.2.3')).toBe(true);
    expect(matches('::ffff:11.1.2.3')).toBe(false);
    expect(matches('fe80::1%eth0')).toBe(true);
  });

  it('holds nothing that is no address, and no network at all holds nothing', () => {
    expect(matcherOf('0.0.0.0/0', '::/0')('local')).toBe(false);
    expect(matcherOf()('127.0.0.1')).toBe(false);
  });

  it('is the same as comparing leading bits, for all addresses of IPv4', () => {
    const octets = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(octets, octets, fc.nat(32), (network, address, prefix) => {
        const bits = (parts: readonly number[]) => parts.map((part) => part.toString(2).padStart(8, '0')).join('');
        const inside = bits(network).slice(0, prefix) === bits(address).slice(0, prefix);
        expect(matcherOf(`${network.join('.')}/${prefix}`)(address.join('.'))).toBe(inside);
      }),
    );
  });

  it('is read from any text without harm', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f.:/%]{0,50}$/)), (text) => {
        const network = parseNetwork(text);
        return network === undefined || isIP(network.address) === network.family;
      }),
    );
  });
});
