import { Input } from '@posthorn/smtp/bytes/input';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Every line that comes out when the text goes in with these cuts. */
function linesOf(text: Buffer, cuts: readonly number[], limit: number): string[] {
  const input = new Input();
  const lines: string[] = [];
  const borders = [...cuts.filter((cut) => cut < text.length), text.length].sort((a, b) => a - b);
  let from = 0;
  for (const border of borders) {
    input.push(text.subarray(from, border));
    from = border;
    for (let line = input.takeLine(limit); line !== undefined; line = input.takeLine(limit)) {
      lines.push(line.toString('latin1'));
    }
    expect(input.length).toBeLessThan(limit);
  }
  return lines;
}

const text = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', 'a', 'bcdefgh', '\r\n\r\n', '\r\r\n'), { maxLength: 30 })
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

describe('Input', () => {
  it('GEN-1 cuts lines at CRLF alone', () => {
    expect(linesOf(Buffer.from('a\r\n\r\nb\nc\rd\n\re\r\r\n\n\r\nf'), [], 100)).toEqual([
      'a',
      '',
      'b\nc\rd\n\re\r',
      '\n',
    ]);
  });

  it('GEN-1 GEN-11 gives the same lines however they are cut, and holds no more than one of them', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), fc.integer({ min: 2, max: 12 }), (given, cuts, limit) => {
        const every = Array.from({ length: given.length }, (_, index) => index + 1);
        const whole = linesOf(given, [], limit);
        expect(linesOf(given, cuts, limit)).toEqual(whole);
        expect(linesOf(given, every, limit)).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('GEN-11 passes over a line that is too long, and goes on behind it', () => {
    expect(linesOf(Buffer.from('12345678\r\n123456789\r\nok\r\n'), [], 10)).toEqual(['12345678', 'too long', 'ok']);
    const input = new Input();
    for (let piece = 0; piece < 1000; piece += 1) {
      input.push(Buffer.alloc(1000, 'x\r'));
      expect(input.takeLine(512)).toBeUndefined();
      expect(input.length).toBe(0);
    }
    input.push(Buffer.from('\nNOOP\r\n'));
    expect(input.takeLine(512)).toBe('too long');
    expect(input.takeLine(512)?.toString()).toBe('NOOP');
  });

  it('ends on a line that drips in full of bare line feeds', () => {
    const input = new Input();
    for (let octet = 0; octet < 20_000; octet += 1) {
      input.push(Buffer.from('\n'));
      expect(input.takeLine(30_000)).toBeUndefined();
    }
    input.push(Buffer.from('\r\n'));
    expect(input.takeLine(30_000)).toHaveLength(20_000);
  });

  it('gives octets as they are at hand, and lines behind them', () => {
    const input = new Input();
    expect(input.take(5)).toBeUndefined();
    input.push(Buffer.from('abc\r'));
    expect(input.takeLine(100)).toBeUndefined();
    expect(input.take(2)?.toString()).toBe('ab');
    expect(input.take(0)).toBeUndefined();
    input.skip(1);
    expect(input.peek().toString()).toBe('\r');
    input.push(Buffer.from('\n\nd\r\ne'));
    expect(input.takeLine(100)?.toString()).toBe('');
    expect(input.takeLine(100)?.toString()).toBe('\nd');
    expect(input.take(100)?.toString()).toBe('e');
    expect(input.length).toBe(0);
  });

  it('CMD-TLS-2 forgets all octets at hand, and the rest of a line too long', () => {
    const input = new Input();
    input.push(Buffer.alloc(100, 'x'));
    expect(input.takeLine(50)).toBeUndefined();
    input.clear();
    expect(input.peek()).toHaveLength(0);
    input.push(Buffer.from('EHLO a\r\n'));
    expect(input.takeLine(50)?.toString()).toBe('EHLO a');
  });
});
