import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonc } from '../../src/config/jsonc.ts';

function readJson(text: string): unknown {
  const parsed = parseJsonc(text);
  return 'value' in parsed ? parsed.value : parsed;
}

describe('JSON with comments', () => {
  it('may hold comments, commas behind the last element, and a byte order mark', () => {
    const text = '\ufeff// one\n{ /* two\n */ "a": [1, 2, ], // three\n "b//": "/* no comment */", }\n/**/';
    expect(readJson(text)).toEqual({ a: [1, 2], 'b//': '/* no comment */' });
  });

  it('gives back all that JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(readJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('knows the line of each member, and of what holds one that is not there', () => {
    const parsed = parseJsonc('{\n  "a": {\n    "b.c": [\n      1,\n\n      {"d":\n 2}\n ]\n  }\n}');
    const lines = ['a', 'a["b.c"]', 'a["b.c"][0]', 'a["b.c"][1]', 'a["b.c"][1].d', 'a["b.c"][1].e', 'x', ''];
    expect('value' in parsed && lines.map((path) => parsed.lineOf(path))).toEqual([2, 3, 4, 6, 6, 6, 1, 1]);
  });

  it.each([
    ['{\n "a": 1\n "b": 2}', 3, ''],
    ['{\n "a": [1,,]}', 2, 'a[1]'],
    ['{"a": tru}', 1, 'a'],
    ['{"a": 01}', 1, 'a'],
    ["{'a': 1}", 1, ''],
    ['{"a" 1}', 1, 'a'],
    ['{"a": "x\n"}', 1, 'a'],
    ['{"a": "\\x"}', 1, 'a'],
    ['{"a": 1', 1, ''],
    ['{"a": 1} x', 1, ''],
    ['/* x', 1, ''],
    ['', 1, ''],
    ['{"a": 1,\n"a": 2}', 2, 'a'],
  ])('is refused with its line and path: %j', (text, line, path) => {
    expect(parseJsonc(text)).toMatchObject({ line, path, message: expect.stringMatching(/\w/) });
  });

  it('is never read when JSON is not, but for comments and commas', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[[\]{}:, "0-9a-z\n.-]{0,40}$/));
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseJsonc(text);
        if (!('value' in parsed) || /\/|,\s*[\]}]|\ufeff/.test(text)) return;
        expect(parsed.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused, not fatal, when it is nested without end', () => {
    expect(parseJsonc('['.repeat(1_000_000))).toMatchObject({ message: 'is nested too deep' });
    expect(parseJsonc('{"a":'.repeat(100_000))).toMatchObject({ message: 'is nested too deep' });
  });
});
