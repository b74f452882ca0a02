import { Input } from '@posthorn/smtp/bytes/input';
import { mendText, stuffDots, TextWriter } from '@posthorn/smtp/protocol/client-text';
import { TextReader } from '@posthorn/smtp/protocol/text-reader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Texts made of what matters: line ends in all forms, dots, and anything else. */
const text = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', 'text', '\r\n.\r\n', '\0', 'é'), { maxLength: 30 })
  .map((parts) => parts.join(''));

function mended(whole: string): string {
  const lines = whole.replace(/\r\n|\r|\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

function stuffed(whole: string): string {
  return whole.replace(/(^|\r\n)\./g, '$1..');
}

function inPieces(whole: Buffer, cuts: readonly number[], stuff: boolean): Buffer {
  const writer = new TextWriter(stuff);
  const out: Buffer[] = [];
  let at = 0;
  for (const cut of cuts) {
    out.push(writer.write(whole.subarray(at, at + cut)));
    at = Math.min(at + cut, whole.length);
  }
  return Buffer.concat([...out, writer.write(whole.subarray(at)), writer.end()]);
}

/** What a server makes of the octets of DATA. */
function readBack(octets: Buffer): { text: string; rest: number } {
  const input = new Input();
  const reader = new TextReader('stuffed');
  input.push(octets);
  const piece = reader.read(input);
  expect(reader.ended).toBe(true);
  return { text: (piece ?? Buffer.alloc(0)).toString(), rest: input.length };
}

describe('the text on its way out', () => {
  it('CLI-DATA-1 GEN-1 leaves with CRLF as its only line end, the last line ended, however its line ends were', () => {
    fc.assert(
      fc.property(text, (whole) => {
        expect(mendText(Buffer.from(whole)).toString()).toBe(mended(whole));
      }),
    );
  });

  it('CLI-DATA-1 is sent as it is, without a copy, when nothing is to change', () => {
    const good = Buffer.from('Subject: x\r\n\r\na.b\r\n');
    expect(mendText(good)).toBe(good);
    expect(stuffDots(good, true)).toBe(good);
    expect(new TextWriter(true).write(good)).toBe(good);
  });

  it('CLI-DATA-1 has each dot that begins a line doubled, behind mended line ends too', () => {
    expect(stuffDots(mendText(Buffer.from('.\n..\r.a\r\n.')), true).toString()).toBe('..\r\n...\r\n..a\r\n..\r\n');
    fc.assert(
      fc.property(text, (whole) => {
        expect(stuffDots(mendText(Buffer.from(whole)), true).toString()).toBe(stuffed(mended(whole)));
      }),
    );
  });

  it('CLI-DATA-1 CMD-BDAT-9 is the same however it comes in pieces', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(5), { maxLength: 40 }), (whole, cuts) => {
        const octets = Buffer.from(whole);
        expect(inPieces(octets, cuts, true).toString()).toBe(`${stuffed(mended(whole))}.\r\n`);
        expect(inPieces(octets, cuts, false).toString()).toBe(mended(whole));
      }),
    );
  });

  it.each([
    '\n.\n',
    '\n.\r\n',
    '\r.\r',
    '\r\n.\n',
    '\r.\r\n',
    '\r\n.\r',
    '\r\r\n.\r\r\n',
    '\n.\r',
    '\r.\n',
    '\r\n\0.\r\n',
    '\n\r.\r\n',
    '\r\n.\n\r\n',
    '\r\n.\r\n',
    '\n\n.\n\n',
  ])('SEC-SMUG-1 CLI-DATA-1 keeps %j inside of the one message it stands in', (end) => {
    const whole = `one${end}MAIL FROM:<evil@example.org>\r\n`;
    for (const cut of [0, 3, 4, 5, 6]) {
      const octets = inPieces(Buffer.from(whole), [cut], true);
      expect(octets.indexOf('\r\n.\r\n')).toBe(octets.length - 5);
      expect(octets.toString()).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      expect(readBack(octets)).toEqual({ text: mended(whole), rest: 0 });
    }
    expect(mendText(Buffer.from(whole)).toString()).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  });

  it('comes out of a server as it went in', () => {
    fc.assert(
      fc.property(text, (whole) => {
        expect(readBack(inPieces(Buffer.from(whole), [], true))).toEqual({ text: mended(whole), rest: 0 });
      }),
    );
  });
});
