import { expect, it } from 'vitest';
import { Batches } from '../../src/agents/batches.ts';

it('batches hold what comes while one runs, tell each item its own result, and keep keys apart', async () => {
  const ran: string[] = [];
  const gates: (() => void)[] = [];
  const batches = new Batches<string>(async (key, items) => {
    ran.push(`${key}: ${items.join(' ')}`);
    await new Promise<void>((resolve) => gates.push(resolve));
    if (items.includes('all bad')) throw new Error('all');
    return items.map((item) => (item === 'bad' ? new Error('one') : undefined));
  });
  const first = batches.add('a', '1');
  const others = [batches.add('a', '2'), batches.add('a', 'bad'), batches.add('a', '3')];
  const settled = Promise.allSettled(others);
  const elsewhere = batches.add('b', '4');
  expect(ran).toEqual(['a: 1', 'b: 4']);
  gates[1]?.();
  await elsewhere;
  gates[0]?.();
  await first;
  await expect.poll(() => ran.at(-1)).toBe('a: 2 bad 3');
  gates[2]?.();
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const all = batches.add('a', 'all bad');
  gates[3]?.();
  await expect(all).rejects.toThrow('all');
});
