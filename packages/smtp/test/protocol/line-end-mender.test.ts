import { LineEndMender } from '@posthorn/smtp/protocol/line-end-mender';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const part = fc.constantFrom('\r', '\n', '\r\n', 'a', '.', '\0');

it('GEN-3 GEN-1 makes every line end a CRLF, however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: part, maxLength: 6 }), { maxLength: 8 }), (pieces) => {
      const mender = new LineEndMender();
      const out = pieces.map((piece) => mender.write(Buffer.from(piece, 'latin1'), true));
      const mended = Buffer.concat([...out, mender.end()]).toString('latin1');
      expect(mended).toBe(pieces.join('').replace(/\r\n|\r|\n/g, '\r\n'));
    }),
    { numRuns: 2000 },
  );
});

it('hands on a piece that needs no mending as it is', () => {
  const piece = Buffer.from('a\r\nb\r\n');
  expect(new LineEndMender().write(piece, false)).toBe(piece);
});
