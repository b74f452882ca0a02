import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, parseSize } from '../../src/config/quantity.ts';

describe('a size', () => {
  it.each([
    [0, 0],
    [52_428_800, 52_428_800],
    ['50MB', 52_428_800],
    ['50 MiB', 52_428_800],
    ['1.5k', 1536],
    ['100', 100],
    ['2g', 2 ** 31],
  ])('of %j is %j octets', (written, octets) => {
    expect(parseSize(written)).toBe(octets);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '', 'MB', '5 cats', '-5', '1e3', '5MB5', ' 5', null, {}, []])(
    'is not %j',
    (written) => {
      expect(parseSize(written)).toBeUndefined();
    },
  );
});

describe('a duration', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1h30m', 5_400_000],
    ['5d', 432_000_000],
    ['1w', 604_800_000],
  ])('of %j is %j milliseconds', (written, milliseconds) => {
    expect(parseDuration(written)).toBe(milliseconds);
  });

  it.each([-1, 0.5, Number.NaN, '', ' ', '5', 'h', '5 h', '5minutes', '1h,30m', '-5s', null, {}, []])(
    'is not %j',
    (written) => {
      expect(parseDuration(written)).toBeUndefined();
    },
  );
});

it('quantities are whole and not negative whatever is written', () => {
  const texts = fc.stringMatching(/^[0-9.kmgbshdwKMGB ]{0,20}$/);
  fc.assert(
    fc.property(fc.oneof(fc.anything(), texts), fc.constantFrom(parseSize, parseDuration), (written, parse) => {
      const value = parse(written);
      return value === undefined || (Number.isSafeInteger(value) && value >= 0);
    }),
  );
});
