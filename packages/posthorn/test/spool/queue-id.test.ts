import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdSource, formatTime, isQueueId, parseTime } from '../../src/spool/queue-id.ts';

const times = fc.integer({ min: 0, max: 32 ** 9 - 1 });

describe('a time within a key', () => {
  it('is read as it was written, and sorts as times do', () => {
    fc.assert(
      fc.property(times, times, (one, other) => {
        expect(parseTime(formatTime(one))).toBe(one);
        expect(formatTime(one) < formatTime(other)).toBe(one < other);
      }),
    );
  });

  it('is cut to what fits', () => {
    expect(formatTime(-1)).toBe('000000000');
    expect(parseTime(formatTime(1.9))).toBe(1);
    expect(parseTime(formatTime(Number.MAX_SAFE_INTEGER))).toBe(32 ** 9 - 1);
    expect(parseTime(formatTime(Number.POSITIVE_INFINITY))).toBe(32 ** 9 - 1);
  });
});

describe('a queue id', () => {
  it('has its own form, that begins with its time', () => {
    const newId = createIdSource(() => 1_700_000_000_000);
    for (let i = 0; i < 1000; i++) {
      const id = newId();
      expect(isQueueId(id)).toBe(true);
      expect(parseTime(id)).toBe(1_700_000_000_000);
    }
    for (const text of [
      '',
      '1',
      '../..',
      '1m89bnkh3zt0x',
      '1m89bnkh3zt0xtt',
      '1m89bnkh3zt0xT',
      '1m89bnkh3zt0xu',
      '1m89bnkh3zt0x\n',
    ])
      expect(isQueueId(text)).toBe(false);
  });

  it('is never given twice, nor out of order, as long as the clock does not go far back', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: -900, max: 900 }), fc.integer({ min: 1, max: 200 })), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(steps, (steps) => {
        let time = 1_700_000_000_000;
        let highest = time;
        const newId = createIdSource(() => time);
        let last = '';
        for (const [step, count] of steps) {
          time = Math.max(time + step, highest - 900);
          highest = Math.max(highest, time);
          for (let i = 0; i < count; i++) {
            const id = newId();
            expect(id > last).toBe(true);
            last = id;
          }
        }
      }),
    );
  });

  it('goes on in the next millisecond when one has no more of them', () => {
    const newId = createIdSource(() => 1_700_000_000_000);
    const ids = Array.from({ length: 70_000 }, newId);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(parseTime(ids.at(-1) as string)).toBeLessThan(1_700_000_000_005);
  });
});
