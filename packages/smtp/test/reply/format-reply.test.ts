import { formatReply } from '@posthorn/smtp/reply/format-reply';
import { joinReplyLines, parseReplyLine } from '@posthorn/smtp/reply/parse-reply';
import { type Reply, reply, type Status } from '@posthorn/smtp/reply/reply';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reply as anyReply } from '../arbitraries.ts';

/** The lines without their CRLF; fails when one has another end. */
function linesOf(text: string): string[] {
  const lines = text.split('\r\n');
  expect(lines.pop()).toBe('');
  for (const line of lines) expect(line).not.toMatch(/[\r\n\0]/);
  return lines;
}

function parse(text: string): Reply {
  const lines = linesOf(text).map((line) => {
    const read = parseReplyLine(Buffer.from(line, 'utf8'));
    if (read === undefined) throw new Error(`no reply line: ${line}`);
    return read;
  });
  expect(lines.map(({ more }) => more)).toEqual([...new Array(lines.length - 1).fill(true), false]);
  expect(new Set(lines.map(({ code }) => code)).size).toBe(1);
  return joinReplyLines(
    lines[0]?.code ?? 0,
    lines.map((line) => line.text),
  );
}

describe('formatReply', () => {
  it('writes code, status and text', () => {
    expect(formatReply(reply(250, '2.1.5', 'Recipient ok'))).toBe('250 2.1.5 Recipient ok\r\n');
    expect(formatReply(reply(354, undefined, 'Go ahead'))).toBe('354 Go ahead\r\n');
    expect(formatReply(reply(250, '2.0.0'))).toBe('250 2.0.0 \r\n');
    expect(formatReply({ code: 250, lines: [] })).toBe('250 \r\n');
  });

  it('CMD-AUTH-2 keeps the space of an empty challenge', () => {
    expect(formatReply(reply(334, undefined, ''))).toBe('334 \r\n');
  });

  it('GEN-13 GEN-14 repeats code and status on every line', () => {
    expect(formatReply(reply(550, '5.7.1', 'No', '', 'Never'))).toBe(
      '550-5.7.1 No\r\n550-5.7.1 \r\n550 5.7.1 Never\r\n',
    );
  });

  it('gives back every reply whose lines fit', () => {
    fc.assert(
      fc.property(anyReply, (given) => {
        expect(parse(formatReply(given))).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('GEN-13 splits lines of more than 512 octets, at blanks where it can, and loses no word', () => {
    const words = Array.from({ length: 400 }, (_, index) => `word${index}`).join(' ');
    const lines = linesOf(formatReply(reply(250, '2.0.0', words)));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.map((line) => line.slice(10)).join(' ')).toBe(words);
    fc.assert(
      fc.property(
        fc.constantFrom<Status | undefined>(undefined, '5.7.1', '5.123.456'),
        fc.string({ unit: 'grapheme', minLength: 100, maxLength: 3000 }).map((text) => text.replaceAll('\ufffd', 'x')),
        (status, text) => {
          const written = formatReply(reply(550, status, text));
          const pieces = linesOf(written).map((line) => {
            expect(Buffer.byteLength(line) + 2).toBeLessThanOrEqual(512);
            expect(line).not.toContain('\ufffd');
            return line.slice(status === undefined ? 4 : 5 + status.length);
          });
          const blankless = (given: string) => given.replace(/ /g, '').replace(/\p{Cc}/gu, '?');
          expect(blankless(pieces.join(''))).toBe(blankless(text));
          expect(parse(written)).toMatchObject({ code: 550 });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('GEN-13 splits a text without blanks between characters', () => {
    const lines = linesOf(formatReply(reply(250, undefined, '𝄞'.repeat(300))));
    expect(lines.map((line) => line.slice(4)).join('')).toBe('𝄞'.repeat(300));
    const exact = linesOf(formatReply(reply(250, undefined, 'x'.repeat(506))));
    expect(exact).toEqual([`250 ${'x'.repeat(506)}`]);
    expect(linesOf(formatReply(reply(250, undefined, 'x'.repeat(507))))).toHaveLength(2);
  });

  it('GEN-13 splits at a text of blanks too, and ends', () => {
    const lines = linesOf(formatReply(reply(250, undefined, ' '.repeat(100_000))));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(510);
  });

  it('GEN-1 GEN-13 lets no text make a line of its own', () => {
    const text = 'User a\r\n250 2.0.0 fine\n\r\0\x1b[2J\x85é\ud800';
    const written = formatReply(reply(550, '5.1.1', text));
    expect(linesOf(written)).toHaveLength(1);
    expect(written).toMatch(/^550 5\.1\.1 User a\?\?250 2\.0\.0 fine\?\?\?\?\[2J\?é/);
  });

  it('GEN-14 ENH-X leaves out a status of another class than the code', () => {
    expect(formatReply(reply(250, '5.1.1', 'Ok'))).toBe('250 Ok\r\n');
    expect(formatReply(reply(451, '5.3.0', 'No'))).toBe('451 No\r\n');
    expect(formatReply(reply(334, '4.0.0', ''))).toBe('334 \r\n');
  });

  it.each([0, 99, 100, 199, 600, 1000, 250.5, Number.NaN, -250])('GEN-16 writes no code of %d', (code) => {
    expect(() => formatReply({ code, lines: ['x'] })).toThrow(RangeError);
  });

  it('formats a reply once', () => {
    let reads = 0;
    const constant: Reply = {
      code: 250,
      get lines() {
        reads += 1;
        return ['Ok'];
      },
    };
    expect(formatReply(constant)).toBe('250 Ok\r\n');
    expect(formatReply(constant)).toBe('250 Ok\r\n');
    expect(reads).toBe(1);
  });
});
