import { OctetSurvey } from '@posthorn/smtp/message/octet-survey';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('OctetSurvey', () => {
  it('finds at any cut what a look at the whole finds', () => {
    const piece = fc.constantFrom('\r\n', '\r', '\n', 'a', 'é', '\0', 'x'.repeat(499), 'x'.repeat(998));
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 4 }), { maxLength: 8 }), (pieces) => {
        const survey = new OctetSurvey();
        for (const each of pieces) survey.write(Buffer.from(each.join('')));
        const text = pieces.flat().join('');
        expect({ ...pick(survey) }).toEqual({
          eightBit: text.includes('é'),
          nul: text.includes('\0'),
          bareLineEnd: /\r(?!\n)|(?<!\r)\n/.test(text),
          // A CR at the very end may yet be half of a line end.
          longLine: text
            .replace(/\r$/, '')
            .split(/\r?\n/)
            .some((line) => Buffer.byteLength(line) > 998),
        });
      }),
      { numRuns: 2000 },
    );
  });
});

function pick({ eightBit, nul, bareLineEnd, longLine }: OctetSurvey) {
  return { eightBit, nul, bareLineEnd, longLine };
}
