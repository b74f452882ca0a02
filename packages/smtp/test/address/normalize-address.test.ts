import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeAddress } from '../../src/address/normalize-address.ts';

describe('normalizeAddress', () => {
  it('gives one form to all forms of an address', () => {
    for (const form of ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1']) {
      expect(normalizeAddress(form)).toBe('192.0.2.1');
    }
    expect(normalizeAddress('2001:DB8::1')).toBe(normalizeAddress('2001:db8:0:0:0:0:0:1'));
    expect(normalizeAddress('::')).toBe('0:0:0:0:0:0:0:0');
    expect(normalizeAddress('1.2.3')).toBeUndefined();
  });

  it('is stable for every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const normal = normalizeAddress(address);
        expect(normal === undefined ? undefined : normalizeAddress(normal)).toBe(normal);
      }),
    );
  });
});
