import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyReader } from '../../src/reply/reply-reader.ts';

function readAll(...pieces: (string | Buffer)[]): unknown[] {
  const reader = new ReplyReader();
  const read: unknown[] = [];
  for (const piece of pieces) {
    reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      read.push(next);
      if (typeof next === 'string') return read;
    }
  }
  return read;
}

describe('ReplyReader', () => {
  it('CLI-RPL-5 reads multiline replies, and several replies of one piece', () => {
    expect(readAll('250-mx.example\r\n250-SIZE 1000\r\n250 HELP\r\n220 go\r\n')).toEqual([
      { code: 250, lines: ['mx.example', 'SIZE 1000', 'HELP'] },
      { code: 220, lines: ['go'] },
    ]);
  });

  it('CLI-RPL-5 bears a missing text, a missing space and lines of more than 512 octets', () => {
    const long = 'x'.repeat(3000);
    expect(readAll('250\r\n250-\r\n250 \r\n354go\r\n250-a\r\n250\r\n', `250 ${long}\r\n`)).toEqual([
      { code: 250, lines: [''] },
      { code: 250, lines: ['', ''] },
      { code: 354, lines: ['go'] },
      { code: 250, lines: ['a', ''] },
      { code: 250, lines: [long] },
    ]);
  });

  it('CLI-RPL-5 GEN-13 takes lines of one reply whose codes differ for garbage', () => {
    expect(readAll('250-a\r\n251 b\r\n')).toEqual(['codes differ']);
  });

  it.each(['', 'hello', '25 x', '2500 x', '150 x', '650 x', '050 x', '25a x', 'HTTP/1.1 400 Bad Request'])(
    'GEN-16 takes %j for garbage: a code has three digits of which the first is 2 to 5',
    (line) => {
      expect(readAll(`${line}\r\n`)).toEqual(['not a reply']);
    },
  );

  it('GEN-16 takes codes nobody has heard of as they are', () => {
    expect(readAll('299 a\r\n499 b\r\n599 c\r\n')).toMatchObject([{ code: 299 }, { code: 499 }, { code: 599 }]);
  });

  it('GEN-1 ends a reply line only with CRLF and does not wait when a bare line feed shows that none will come', () => {
    expect(readAll('250 ok\n')).toEqual(['bare line feed']);
    expect(readAll('250 ok\n250 more\r\n')).toEqual(['bare line feed']);
  });

  it('CLI-RPL-5 gives up on endless lines, endless replies and replies of too many octets', () => {
    expect(readAll(`250 ${'x'.repeat(5000)}`)).toEqual(['too long']);
    expect(readAll(`250 ${'x'.repeat(5000)}\r\n`)).toEqual(['too long']);
    expect(readAll('250-x\r\n'.repeat(300))).toEqual(['too long']);
    expect(readAll(`250-${'x'.repeat(4000)}\r\n`.repeat(20))).toEqual(['too long']);
    const dripped = Array.from({ length: 10_000 }, () => 'x');
    expect(readAll(...dripped)).toEqual(['too long']);
  });

  it('ENH-X reads the enhanced status once, keeps unknown ones verbatim and strips it from every line', () => {
    expect(readAll('550-5.7.999 one\r\n550-5.7.999\r\n550 5.7.999 two\r\n')).toEqual([
      { code: 550, status: '5.7.999', lines: ['one', '', 'two'] },
    ]);
  });

  it.each(['4.1.1 x', '5.01.1 x', '5.1 x', '5.1.1.1 x', '5.1.1x', '5.1.1000 x'])(
    'ENH-X takes %j behind 550 for text: no status, or one of another class',
    (text) => {
      expect(readAll(`550 ${text}\r\n`)).toEqual([{ code: 550, lines: [text] }]);
    },
  );

  it('shows control characters as question marks and octets that are no UTF-8 as replacements', () => {
    expect(readAll(Buffer.from('250 a\x1b[2J\0b \xff\r\n', 'latin1'))).toEqual([
      { code: 250, lines: ['a?[2J?b \ufffd'] },
    ]);
  });

  it('reads the same however the input is cut, and never more than it may hold', () => {
    const line = fc.oneof(
      fc.constantFrom('250-a', '250 b', '250', '354 go', '250-', '421 4.3.2 bye', 'junk'),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(12), { maxLength: 60 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(''));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        pieces.push(bytes.subarray(Math.min(at, bytes.length)));
        expect(readAll(...pieces)).toEqual(readAll(...Array.from(bytes, (byte) => Buffer.of(byte))));
      }),
    );
  });

  it('CMD-TLS-2 forgets what came in when it is cleared', () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from('250-half\r\n250 oth'));
    expect(reader.next()).toBeUndefined();
    expect(reader.pending).toBe(true);
    reader.clear();
    expect(reader.pending).toBe(false);
    reader.push(Buffer.from('220 new\r\n'));
    expect(reader.next()).toEqual({ code: 220, lines: ['new'] });
  });
});
