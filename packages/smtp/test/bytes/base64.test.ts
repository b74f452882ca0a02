import { Base64Encoder, decodeBase64Body, parseBase64 } from '@posthorn/smtp/bytes/base64';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('base64', () => {
  it('CMD-AUTH-19 reads canonical base64 alone', () => {
    expect(parseBase64('')).toEqual(Buffer.alloc(0));
    expect(parseBase64('AGFsaWNl')).toEqual(Buffer.from('\0alice'));
    for (const text of [
      '=',
      'QQ',
      'QQ=',
      'QQ===',
      'Q=Q=',
      'QR==',
      'QQ==QQ==',
      'Q Q=',
      'QQ==\r\n',
      'Q-_=',
      '====',
      'é===',
    ]) {
      expect(parseBase64(text), text).toBeUndefined();
    }
  });

  it('writes lines of 76 characters, whatever the cuts of the input', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (chunks) => {
        const encoder = new Base64Encoder();
        const written = chunks.map((chunk) => encoder.write(Buffer.from(chunk)));
        const body = Buffer.concat([...written, encoder.end()]);
        const whole = Buffer.concat(chunks);
        const expected = (whole.toString('base64').match(/.{1,76}/g) ?? []).map((line) => `${line}\r\n`).join('');
        expect(body.toString('latin1')).toBe(expected);
        expect(decodeBase64Body(body)).toEqual(whole);
      }),
    );
  });
});
