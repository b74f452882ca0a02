import { Alarms } from '@posthorn/smtp/net/alarms';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Alarms', () => {
  it('ring each in its time, whatever order they were set in', () => {
    const alarms = new Alarms();
    const rung: number[] = [];
    for (const delay of [300, 100, 200, 100]) alarms.set(delay, () => rung.push(delay));
    vi.advanceTimersByTime(150);
    expect(rung).toEqual([100, 100]);
    vi.advanceTimersByTime(300);
    expect(rung).toEqual([100, 100, 200, 300]);
  });

  it('do not ring when they are taken back, alone or all together', () => {
    const alarms = new Alarms();
    const rung: string[] = [];
    const first = alarms.set(10, () => rung.push('first'));
    alarms.set(20, () => rung.push('second'));
    alarms.clear(first);
    alarms.clear(undefined);
    vi.advanceTimersByTime(30);
    alarms.set(10, () => rung.push('third'));
    alarms.clearAll();
    vi.advanceTimersByTime(30);
    expect(rung).toEqual(['second']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('need one timer, which is not set anew for later ones', () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const alarms = new Alarms();
    for (let count = 0; count < 1000; count += 1) alarms.clear(alarms.set(60_000 + count, () => {}));
    expect(set).toHaveBeenCalledTimes(1);
    set.mockRestore();
  });

  it('may set others when they ring', () => {
    const alarms = new Alarms();
    let count = 0;
    const again = () => {
      count += 1;
      if (count < 5) alarms.set(10, again);
    };
    alarms.set(10, again);
    vi.advanceTimersByTime(200);
    expect(count).toBe(5);
  });
});
