import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { dueKey, laneEnd, lanePrefix, priorityOf, readDueKey } from '../../src/spool/due-key.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { commitMessage, deferredState, sampleText } from './spool-samples.ts';

const START = 1_700_000_000_000;
const folder = mkdtempSync(join(tmpdir(), 'posthorn-priority-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const now = () => START;
let count = 0;
const stores: readonly (readonly [string, () => Promise<QueueStore>])[] = [
  ['in memory', async () => createMemoryStore({ now })],
  ['on disk', () => openSpool({ path: join(folder, String(count++)), now })],
];

/** Adds a message that was deferred until then. */
async function defer(store: QueueStore, priority: number | undefined, due: number): Promise<string> {
  const { id } = await commitMessage(store, sampleText(10), priority === undefined ? {} : { priority });
  await store.settle(id, { state: deferredState(due), reports: [] });
  return id;
}

const claim = async (store: QueueStore, limit: number, at = START) =>
  (await store.claim({ now: at, limit, until: START + 60_000 })).map(({ envelope }) => envelope);

describe.each(stores)('the order of claims, %s', (_, open) => {
  it('EXT-PRI-2 gives what is due by priority, of one priority the oldest first, and nothing that is not due', async () => {
    await using store = await open();
    const times = [
      [undefined, -40],
      [-4, -50],
      [4, -10],
      [9, 10],
      [4, -20],
    ] as const;
    for (const [priority, offset] of times) await defer(store, priority, START + offset);
    expect(store.nextDue()).toBe(START - 50);
    const order = [];
    for (let taken = await claim(store, 1); taken.length > 0; taken = await claim(store, 1)) order.push(...taken);
    expect(order.map(({ priority }) => priority)).toEqual([4, 4, undefined, -4]);
    expect(store.nextDue()).toBe(START + 10);
  });

  it('EXT-PRI-2 lets no flood of a higher priority keep the oldest waiting', async () => {
    await using store = await open();
    const old = await defer(store, -9, START - 1000);
    for (let index = 0; index < 20; index += 1) await defer(store, 6, START - 500 + index);
    const first = await claim(store, 4);
    expect(first.map(({ id }) => id)).toContain(old);
    expect(await claim(store, 100)).toHaveLength(17);
  });

  it('takes back a message of a priority, and forgets its place when it is done', async () => {
    await using store = await open();
    const id = await defer(store, 3, START - 5);
    expect(await claim(store, 9)).toHaveLength(1);
    await store.release(id);
    expect(await claim(store, 9)).toHaveLength(1);
    await store.release(id, START + 500);
    expect(store.nextDue()).toBe(START + 500);
    expect(await claim(store, 9, START + 500)).toHaveLength(1);
    await store.settle(id, { state: 'done', reports: [] });
    expect(store.count()).toBe(0);
    expect(store.nextDue()).toBeUndefined();
  });
});

describe('the order of claims', () => {
  it('EXT-PRI-2 is the same after a restart', async () => {
    const path = join(folder, 'restart');
    const ids: string[] = [];
    {
      await using store = await openSpool({ path, now });
      ids.push(await defer(store, undefined, START - 90), await defer(store, 9, START - 10));
    }
    await using store = await openSpool({ path, now });
    expect((await claim(store, 1)).map(({ id }) => id)).toEqual([ids[1]]);
    expect((await claim(store, 1)).map(({ id }) => id)).toEqual([ids[0]]);
  });

  it('has a key for each priority that tells time and id, and lies within the bounds of its lane', () => {
    for (let priority = -9; priority <= 9; priority += 1) {
      const key = dueKey(START, 'abc', priority);
      expect(priorityOf(key)).toBe(priority);
      expect(readDueKey(key)).toEqual({ time: START, id: 'abc' });
      const prefix = lanePrefix(priority);
      expect(key >= `${prefix}0` && key < laneEnd(prefix)).toBe(true);
    }
    expect(dueKey(START, 'abc')).toBe(dueKey(START, 'abc', 0));
  });
});
