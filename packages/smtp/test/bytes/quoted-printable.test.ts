import {
  decodeQuotedPrintable,
  QuotedPrintableEncoder,
  type QuotedPrintableKind,
} from '@posthorn/smtp/bytes/quoted-printable';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('quoted-printable', () => {
  it('escapes what is not printable, `=`, and blanks before a line break', () => {
    expect(encode('text', 'Grüße = \t\r\n a\r\nb \r')).toBe('Gr=C3=BC=C3=9Fe =3D =09\r\n a\r\nb=20=0D');
    expect(encode('text', 'a\nb\rc ')).toBe('a=0Ab=0Dc=20');
    expect(encode('binary', 'a\r\nb')).toBe('a=0D=0Ab');
  });

  it('breaks lines softly at 76 characters', () => {
    expect(encode('text', 'x'.repeat(80))).toBe(`${'x'.repeat(75)}=\r\nxxxxx`);
    expect(encode('text', `${'x'.repeat(74)}é`)).toBe(`${'x'.repeat(74)}=\r\n=C3=A9`);
  });

  it('reads what others write: lower case, blanks at the end, LF alone, malformed escapes', () => {
    const decode = (text: string) => decodeQuotedPrintable(Buffer.from(text, 'latin1')).toString('latin1');
    expect(decode('a=e9b  \r\nc= \t\r\nd=\ne=')).toBe('a\xe9b\r\ncde');
    expect(decode('1=2 =XY =')).toBe('1=2 =XY ');
    expect(decode('end   ')).toBe('end');
  });

  it('gives back every octet it wrote, in short printable lines, whatever the cuts of the input', () => {
    const octet = fc.oneof(fc.constantFrom(0x0d, 0x0a, 0x20, 0x09, 0x3d, 0x61), fc.integer({ min: 0, max: 255 }));
    const chunk = fc.array(octet, { maxLength: 300 }).map((octets) => Buffer.from(octets));
    fc.assert(
      fc.property(fc.constantFrom('text', 'binary'), fc.array(chunk, { maxLength: 6 }), (kind, chunks) => {
        const encoder = new QuotedPrintableEncoder(kind);
        const body = Buffer.concat([...chunks.map((each) => encoder.write(each)), encoder.end()]);
        for (const line of body.toString('latin1').split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).toMatch(/^[\t -~]*$/);
          expect(line).not.toMatch(/[ \t]$/);
        }
        expect(decodeQuotedPrintable(body)).toEqual(Buffer.concat(chunks));
      }),
    );
  });
});

function encode(kind: QuotedPrintableKind, text: string): string {
  const encoder = new QuotedPrintableEncoder(kind);
  return Buffer.concat([encoder.write(Buffer.from(text)), encoder.end()]).toString('latin1');
}
