import { parseContentType } from '@posthorn/smtp/message/content-type';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function read(value: string): unknown {
  const type = parseContentType(value);
  return type && [type.mediaType, Object.fromEntries(type.parameters)];
}

describe('parseContentType', () => {
  it.each([
    ['text/plain', ['text/plain', {}]],
    ['Text/HTML; Charset=utf-8', ['text/html', { charset: 'utf-8' }]],
    ['multipart/mixed; boundary="a;b=\\"c"; boundary=second', ['multipart/mixed', { boundary: 'a;b="c' }]],
    ['text/plain (a (nested \\) one); x=y) ; a = b ; c', ['text/plain', { a: 'b' }]],
    ['attachment; filename="never closed', ['attachment', { filename: 'never closed' }]],
    ['text/plain; a=";"; b="="', ['text/plain', { a: ';', b: '=' }]],
    ['text/plain; a=; b=c', ['text/plain', { a: '', b: 'c' }]],
    ['', undefined],
    ['; a=b', undefined],
    ['(only a comment', undefined],
  ])('reads %j', (value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('"', '\\', '(', ')', ';', '=', 'a', ' ', '/')),
        (text) => void read(text.join('')),
      ),
    );
    expect(read(`text/plain; a=${'('.repeat(1e6)}`)).toEqual(['text/plain', { a: '' }]);
  });
});
