import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultRetryPolicy, expiryOf, nextWait } from '../../src/queue/retry-policy.ts';

const minute = 60_000;

describe('retry policy', () => {
  it('CLI-RTY-1 waits half an hour twice, then two to three hours, give or take the jitter', () => {
    const middle = () => 0.5;
    const waits = [1, 2, 3, 4, 50].map((attempts) => nextWait(defaultRetryPolicy, attempts, middle) / minute);
    expect(waits).toEqual([30, 30, 120, 180, 180]);
  });

  it('CLI-RTY-1 spreads the waits by chance, never beyond the jitter', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (attempts, chance) => {
        const wait = nextWait({ ...defaultRetryPolicy, intervals: [1000], jitter: 0.2 }, attempts, () => chance);
        expect(wait).toBeGreaterThanOrEqual(800);
        expect(wait).toBeLessThanOrEqual(1200);
      }),
    );
  });

  it('CLI-RTY-2 gives up after five days, earlier for mail with the null reverse-path', () => {
    const day = 24 * 60 * minute;
    expect(expiryOf(defaultRetryPolicy, { receivedAt: 7, reversePath: 'a@b.example' })).toBe(7 + 5 * day);
    expect(expiryOf(defaultRetryPolicy, { receivedAt: 7, reversePath: '' })).toBe(7 + 2 * day);
  });
});
