import { formatUnitext, parseUnitext } from '@posthorn/smtp/bytes/unitext';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('unitext', () => {
  it('EXT-UTF8-10 escapes everything outside ASCII, controls, blank, `\\`, `+` and `=` where only ASCII may go', () => {
    expect(formatUnitext('jürg+x=y \\😀@例.example', 'ascii')).toBe(
      'j\\x{FC}rg\\x{2B}x\\x{3D}y\\x{20}\\x{5C}\\x{1F600}@\\x{4F8B}.example',
    );
    expect(formatUnitext('\x01\x7f\ud800', 'ascii')).toBe('\\x{01}\\x{7F}\\x{FFFD}');
  });

  it('EXT-UTF8-10 keeps UTF-8 where it may go', () => {
    expect(formatUnitext('jürg x@例.example', 'utf8')).toBe('jürg\\x{20}x@例.example');
  });

  it('EXT-UTF8-10 reads the three forms', () => {
    expect(parseUnitext('j\\x{FC}rg@\\x{4F8B}.example')).toBe('jürg@例.example');
    expect(parseUnitext('jürg@\\x{4f8b}.example')).toBe('jürg@例.example');
    expect(parseUnitext('jürg@例.example')).toBe('jürg@例.example');
    expect(parseUnitext('\\x{10FFFF}')).toBe('\u{10ffff}');
  });

  it.each([
    '\\',
    '\\x',
    '\\x{',
    '\\x{}',
    '\\x{41}',
    '\\x{5}',
    '\\x{D800}',
    '\\x{dfff}',
    '\\x{110000}',
    '\\x{0FC}',
    '\\y{FC}',
    '\\x{FC',
    '\\\\x{FC}',
  ])('EXT-UTF8-10 finds %j malformed', (unitext) => expect(parseUnitext(unitext)).toBeUndefined());

  it('EXT-UTF8-10 gives back every text it wrote, in either form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('ascii', 'utf8'), (text, form) => {
        const written = formatUnitext(text, form);
        if (form === 'ascii') expect(written).toMatch(/^[!-*,-<>-~]*$/);
        expect(parseUnitext(written)).toBe(text);
      }),
    );
  });
});
