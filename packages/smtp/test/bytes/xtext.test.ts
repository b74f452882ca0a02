import { decodeXtext, encodeXtext } from '@posthorn/smtp/bytes/xtext';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('xtext', () => {
  it('ADR-20 writes octets outside 33 to 126, `+` and `=` as plus and two upper-case hex digits', () => {
    expect(encodeXtext('a+b=c d\u00e9\x7f~!')).toBe('a+2Bb+3Dc+20d+C3+A9+7F~!');
    expect(encodeXtext('QQ314159')).toBe('QQ314159');
  });

  it('ADR-20 decodes on use', () => {
    expect(decodeXtext('a+2Bb+3Dc+20d+C3+A9')).toBe('a+b=c dé');
    expect(decodeXtext('')).toBe('');
  });

  it.each([
    '+',
    '+2',
    'a+2',
    '+2b',
    '+G0',
    '+-1',
    '+ 1',
    'a=b',
    'a b',
    'é',
    '\x7f',
    'a\r\n',
    '+FF',
    '+C3',
    '+ED+A0+80',
  ])('ADR-20 finds %j malformed', (xtext) => expect(decodeXtext(xtext)).toBeUndefined());

  it('ADR-20 gives back every text it wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const xtext = encodeXtext(text);
        expect(xtext).toMatch(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/);
        expect(decodeXtext(xtext)).toBe(text);
      }),
    );
  });
});
