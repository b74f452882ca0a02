import { type MimePart, MimeScanner } from '@posthorn/smtp/message/mime-scanner';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

interface Seen {
  readonly text: string;
  readonly parts: { depth: number; type: string; kind: string; encoding: string; body: string }[];
  readonly fillers: string;
  readonly limit: string | undefined;
}

function scan(pieces: readonly Buffer[], enters?: (part: Omit<MimePart, 'kind'>) => boolean): Seen {
  const all: Buffer[] = [];
  const parts: Seen['parts'] = [];
  let fillers = '';
  const keep = (octets: Buffer) => all.push(Buffer.from(octets));
  const scanner = new MimeScanner({
    part(part) {
      keep(part.header);
      keep(part.separator);
      parts.push({ depth: part.depth, type: part.mediaType, kind: part.kind, encoding: part.encoding, body: '' });
    },
    body(octets) {
      keep(octets);
      (parts.at(-1) as Seen['parts'][number]).body += octets.toString('latin1');
    },
    delimiter: keep,
    filler(octets) {
      keep(octets);
      fillers += octets.toString('latin1');
    },
    ...(enters && { enters }),
  });
  for (const piece of pieces) scanner.write(piece);
  scanner.end();
  return { text: Buffer.concat(all).toString('latin1'), parts, fillers, limit: scanner.limit };
}

function cut(text: string, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(Buffer.from(text.slice(at, at + size), 'latin1'));
  return pieces;
}

const nested = [
  'Subject: x',
  'Content-Type: multipart/mixed; boundary="a b"',
  '',
  'preamble',
  '--a b',
  '',
  'first',
  '',
  '--a b  ',
  'Content-Type: multipart/alternative; boundary=a',
  'Content-Transfer-Encoding: 8BIT (as it is)',
  '',
  '--a',
  'Content-Type: text/x-cut',
  '--a',
  'Content-Type: text/html',
  '',
  '--ab',
  '-',
  '--a',
  'Content-Type: message/rfc822',
  '',
  'Content-Type: multipart/mixed; boundary=inner',
  '',
  '--inner',
  '',
  'never closed',
  '--a--',
  'epilogue of alternative',
  '--a b',
  'Content-Type: multipart/mixed; boundary=coded',
  'Content-Transfer-Encoding: base64',
  '',
  '--coded',
  '--a b--',
  'epilogue',
].join('\r\n');

describe('MimeScanner', () => {
  it('tells every part at its depth, and every octet, at every cut', () => {
    for (let size = 1; size <= nested.length; size += 1) {
      const seen = scan(cut(nested, size));
      expect(seen.text).toBe(nested);
      expect(seen.parts).toEqual([
        { depth: 0, type: 'multipart/mixed', kind: 'multipart', encoding: '7bit', body: '' },
        { depth: 1, type: 'text/plain', kind: 'leaf', encoding: '7bit', body: 'first\r\n' },
        { depth: 1, type: 'multipart/alternative', kind: 'multipart', encoding: '8bit', body: '' },
        { depth: 2, type: 'text/x-cut', kind: 'leaf', encoding: '7bit', body: '' },
        { depth: 2, type: 'text/html', kind: 'leaf', encoding: '7bit', body: '--ab\r\n-' },
        { depth: 2, type: 'message/rfc822', kind: 'message', encoding: '7bit', body: '' },
        { depth: 3, type: 'multipart/mixed', kind: 'multipart', encoding: '7bit', body: '' },
        { depth: 4, type: 'text/plain', kind: 'leaf', encoding: '7bit', body: 'never closed' },
        { depth: 1, type: 'multipart/mixed', kind: 'leaf', encoding: 'base64', body: '--coded' },
      ]);
      expect(seen.fillers).toBe('preambleepilogue of alternativeepilogue');
      expect(seen.limit).toBeUndefined();
    }
  });

  it('leaves a container closed when told so', () => {
    const seen = scan(cut(nested, 50), (part) => part.depth === 0);
    expect(seen.text).toBe(nested);
    expect(seen.parts.map((part) => part.kind)).toEqual(['multipart', 'leaf', 'leaf', 'leaf']);
  });

  it('loses no octet of any message, and sees the same parts at any cut', () => {
    const line = fc.constantFrom(
      '--a',
      '--a--',
      '--b',
      '--b--',
      '',
      'x',
      '-',
      '--',
      'Content-Type: message/rfc822',
      'Content-Type: multipart/x; boundary=b',
      'Content-Type: multipart/x; boundary=a',
    );
    const message = fc.array(fc.tuple(line, fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '')), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 30 }), (lines, size) => {
        const text = `Content-Type: multipart/mixed; boundary=a\r\n\r\n${lines.flat().join('')}`;
        const whole = scan([Buffer.from(text)]);
        expect(whole.text).toBe(text);
        expect(scan(cut(text, size))).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('bounds depth, parts and headers, and tells the rest as body', () => {
    const deep = 'Content-Type: message/rfc822\r\n\r\n'.repeat(150);
    expect(scan([Buffer.from(deep)])).toMatchObject({ text: deep, limit: 'depth' });
    const many = `Content-Type: multipart/mixed; boundary=a\r\n\r\n${'--a\r\nContent-Type: message/rfc822\r\n\r\n'.repeat(11_000)}`;
    expect(scan([Buffer.from(many)])).toMatchObject({ text: many, limit: 'parts' });
    const long = `X: ${'y'.repeat(400_000)}\r\n\r\nbody`;
    const seen = scan(cut(long, 10_000));
    expect(seen.limit).toBe('header');
    expect(seen.text).toBe(long);
  });
});
