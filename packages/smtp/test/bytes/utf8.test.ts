import { parseUtf8 } from '@posthorn/smtp/bytes/utf8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('parseUtf8', () => {
  it('reads what was written, a byte order mark too, from any part of a buffer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(5), (text, offset) => {
        const octets = Buffer.concat([Buffer.alloc(offset), Buffer.from(`\ufeff${text}`, 'utf8')]);
        expect(parseUtf8(octets.subarray(offset))).toBe(`\ufeff${text}`);
        expect(parseUtf8(new Uint8Array(octets.subarray(offset)))).toBe(`\ufeff${text}`);
      }),
    );
  });

  it('agrees with the decoder of the platform about what is UTF-8', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0xbf));
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 6 }), (octets) => {
        let expected: string | undefined;
        try {
          expected = decoder.decode(Uint8Array.from(octets));
        } catch {
          expected = undefined;
        }
        expect(parseUtf8(Buffer.from(octets))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
