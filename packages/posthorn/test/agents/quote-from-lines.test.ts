import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteFromLines } from '../../src/agents/quote-from-lines.ts';

async function quote(text: string, sizes: readonly number[]): Promise<string> {
  async function* pieces() {
    const bytes = Buffer.from(text);
    let at = 0;
    for (let index = 0; at < bytes.length; index += 1) {
      const size = sizes[index % sizes.length] ?? 1;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const parts: Buffer[] = [];
  for await (const piece of quoteFromLines(pieces())) parts.push(piece);
  return Buffer.concat(parts).toString();
}

describe('quoteFromLines', () => {
  it('LOC-MB-1 quotes the same lines however the text is cut', async () => {
    const part = fc.constantFrom('From ', 'From', 'F', 'Fro', '>', '>>>', '\n', '\n', 'x', ' ', '\r', 'FFrom ');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 40 }),
        fc
          .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
          .filter((sizes) => sizes.some((size) => size > 0)),
        async (parts, sizes) => {
          const text = parts.join('');
          expect(await quote(text, sizes)).toBe(text.replace(/(?<![^\n])(>*From )/g, '>$1'));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('LOC-MB-1 quotes behind any number of `>`, without holding them', async () => {
    const run = '>'.repeat(300_000);
    expect(await quote(`x\n${run}From y`, [65_536])).toBe(`x\n>${run}From y`);
  });
});
