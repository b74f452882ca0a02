import { Input } from '@posthorn/smtp/bytes/input';
import { type TextForm, TextReader } from '@posthorn/smtp/protocol/text-reader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Result {
  readonly text: string;
  readonly ended: boolean;
  readonly bare: boolean;
  readonly rest: string;
}

/** The plain meaning of RFC 5321 §4.5.2 on a text that is all there. */
function reference(wire: string, form: TextForm): Result {
  const end = form === 'stuffed' ? `\r\n${wire}`.indexOf('\r\n.\r\n') : -1;
  const ended = end !== -1;
  const body = ended ? wire.slice(0, end) : wire;
  const unstuffed = form === 'stuffed' ? `\r\n${body}`.replaceAll('\r\n.', '\r\n').slice(2) : body;
  const withoutCrlf = body.replaceAll('\r\n', '');
  const bare = form !== 'octets' && /[\r\n]/.test(withoutCrlf);
  return { text: unstuffed, ended, bare, rest: ended ? wire.slice(end + 3) : '' };
}

function read(wire: string, form: TextForm, cuts: readonly number[]): Result & { readonly pieces: number } {
  const input = new Input();
  const reader = new TextReader(form);
  let text = '';
  let pieces = 0;
  const borders = [...new Set(cuts.map((cut) => cut % (wire.length + 1)))].sort((a, b) => a - b);
  for (const [index, from] of [0, ...borders].entries()) {
    input.push(Buffer.from(wire.slice(from, borders[index] ?? wire.length), 'latin1'));
    if (reader.ended) continue;
    const piece = reader.read(input);
    if (piece !== undefined) pieces += 1;
    text += piece?.toString('latin1') ?? '';
  }
  reader.finish();
  return { text, ended: reader.ended, bare: reader.bare, rest: input.peek().toString('latin1'), pieces };
}

const octets = fc.array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', '\r\n.', 'a', '\0', '\r\n.\r\n'), {
  maxLength: 24,
});
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('TextReader', () => {
  it('CMD-DATA-3 GEN-1 GEN-2 reads stuffed text at every cut as its plain meaning has it', () => {
    fc.assert(
      fc.property(octets, cuts, (parts, at) => {
        const wire = parts.join('');
        const expected = reference(wire, 'stuffed');
        const { text, ended, rest, bare } = read(wire, 'stuffed', at);
        if (expected.ended) expect({ text, ended, rest, bare }).toEqual(expected);
        else expect(ended).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it('CMD-BDAT-2 CMD-BDAT-10 gives chunked text as it is and still sees each bare CR and LF', () => {
    fc.assert(
      fc.property(octets, cuts, (parts, at) => {
        const wire = parts.join('');
        const { text, bare, ended } = read(wire, 'lines', at);
        expect({ text, bare, ended }).toEqual({ text: wire, bare: reference(wire, 'lines').bare, ended: false });
      }),
      { numRuns: 3000 },
    );
  });

  it('CMD-BDAT-2 gives octets of any kind as they are, without a look at line ends', () => {
    const { text, bare } = read('a\rb\nc\0.\r\n.\r\n', 'octets', [3]);
    expect({ text, bare }).toEqual({ text: 'a\rb\nc\0.\r\n.\r\n', bare: false });
  });

  it('shares the memory of a chunk that has no stuffed dot, and makes one piece of one that has many', () => {
    const chunk = Buffer.from('one\r\ntwo\r\n.\r\nQUIT\r\n');
    const input = new Input();
    input.push(chunk);
    const piece = new TextReader('stuffed').read(input);
    expect(piece?.buffer).toBe(chunk.buffer);
    expect(read('..a\r\n'.repeat(5000), 'stuffed', []).pieces).toBe(1);
  });

  it('SEC-RES-1 reads lines of LF alone and of CR alone in one pass', () => {
    const lfs = read('\n'.repeat(300_000), 'stuffed', []);
    const crs = read('\r'.repeat(300_000), 'stuffed', []);
    expect([lfs.bare, lfs.text.length, crs.bare, crs.text.length]).toEqual([true, 300_000, true, 300_000]);
  });
});
