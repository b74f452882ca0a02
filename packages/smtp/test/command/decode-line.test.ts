import { decodeLine } from '@posthorn/smtp/command/decode-line';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('decodeLine', () => {
  it('reads ASCII, with blanks and TAB, and UTF-8', () => {
    for (const line of [
      '',
      'NOOP',
      'NOOP \t ',
      'RCPT TO:<Pelé@example.org>',
      'RCPT TO:<测试@测试.测试>',
      '\ufeffNOOP',
      '😀',
    ]) {
      expect(decodeLine(Buffer.from(line, 'utf8'))).toBe(line);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (line) => {
        fc.pre(!/(?!\t)\p{Cc}/u.test(line));
        expect(decodeLine(Buffer.from(line, 'utf8'))).toBe(line);
      }),
    );
  });

  it('GEN-20 refuses every control character but TAB', () => {
    for (let code = 0; code < 0xa0; code += 1) {
      const isFine = code === 9 || (code >= 0x20 && code < 0x7f);
      const line = `NOOP ${String.fromCharCode(code)}x`;
      expect(decodeLine(Buffer.from(line, 'utf8')), `U+${code.toString(16)}`).toBe(isFine ? line : undefined);
      expect(decodeLine(Buffer.from(`${line}é`, 'utf8'))).toBe(isFine ? `${line}é` : undefined);
    }
  });

  it.each([
    ['a lone octet', 'ff'],
    ['a lone continuation', '80'],
    ['a cut sequence', 'c3'],
    ['a cut sequence of four', 'f09d84'],
    ['an overlong slash', 'c0af'],
    ['an overlong NUL', 'c080'],
    ['an overlong line feed of three octets', 'e0808a'],
    ['a surrogate', 'eda080'],
    ['a pair of surrogates', 'eda1bfedbfbf'],
    ['more than U+10FFFF', 'f4908080'],
    ['Latin-1', '50656ce9'],
  ])('GEN-20 EXT-UTF8-5 refuses %s', (_, octets) => {
    expect(decodeLine(Buffer.concat([Buffer.from('NOOP '), Buffer.from(octets, 'hex')]))).toBeUndefined();
    expect(decodeLine(Buffer.concat([Buffer.from(octets, 'hex'), Buffer.from(' ')]))).toBeUndefined();
  });
});
