import { expect, it } from 'vitest';
import { Gate } from '../../src/dns/gate.ts';

it('the gate lets so many run, keeps a bounded line in order, and turns the rest away', async () => {
  const gate = new Gate(2, 2);
  const ends: (() => void)[] = [];
  const started: number[] = [];
  const run = (number: number) =>
    gate.run(async () => {
      started.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      return number;
    });
  const results = [run(0), run(1), run(2), run(3), run(4)];
  expect(await results[4]).toBeUndefined();
  expect(started).toEqual([0, 1]);
  ends[1]?.();
  expect(await results[1]).toBe(1);
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.();
  expect(await results[0]).toBe(0);
  for (const end of ends) end();
  expect(await Promise.all(results.slice(2, 4))).toEqual([2, 3]);
  await expect(gate.run(() => Promise.reject(new Error('fault')))).rejects.toThrow('fault');
  expect(await gate.run(() => Promise.resolve('free again'))).toBe('free again');
});
