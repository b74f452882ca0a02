import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import {
  commitMessage,
  deferredState,
  listIds,
  readContent,
  sampleEnvelope,
  sampleMessage,
  sampleText,
} from './spool-samples.ts';

const disk = mkdtempSync(join(tmpdir(), 'posthorn-disk-'));
const isRoot = process.getuid?.() === 0;
const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', disk]).status === 0;

afterAll(() => {
  if (mounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

/** Takes all the room that is left on the disk. */
function fillDisk(): void {
  for (const size of [1 << 20, 1 << 16, 4096]) {
    const bytes = Buffer.alloc(size);
    for (let i = 0; ; i++) {
      try {
        writeFileSync(join(disk, `other-${size}-${i}`), bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        rmSync(join(disk, `other-${size}-${i}`), { force: true });
        break;
      }
    }
  }
}

async function fillSpool(store: QueueStore, size: number): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => commitMessage(store, sampleText(size))));
    for (const result of results) {
      if (result.status === 'fulfilled') ids.push(result.value.id);
      else expect(result.reason).toMatchObject({ kind: 'full' });
    }
    if (results.every(({ status }) => status === 'rejected')) return ids;
  }
}

describe.skipIf(!mounted)('a disk that is full', () => {
  let store: QueueStore;

  beforeEach(async () => {
    store = await openSpool({ path: join(disk, 'spool'), now: Date.now });
    return async () => {
      await store.close();
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    };
  });

  it('CMD-DATA-6 refuses new mail with room left for settling, and keeps all it said it kept', async () => {
    const ids = await fillSpool(store, 30_000);
    expect(ids.length).toBeGreaterThan(1000);
    fillDisk();
    expect(await listIds(store.list({ limit: 10_000 }))).toEqual([...ids].sort());
    const report = sampleMessage(store, sampleText(3000), { reversePath: '' });
    await store.settle(ids[0] as string, { state: 'done', reports: [report] });
    const [second, third] = ids.slice(1, 3) as [string, string];
    await store.settle(second, { state: deferredState(Date.now()), reports: [] });
    await store.settle(third, { state: deferredState(Date.now(), { held: true }), reports: [] });
    await expect(commitMessage(store, sampleText(30_000))).rejects.toMatchObject({ kind: 'full' });

    // The disk stays full, and the spool goes on in the place of what has left it.
    const leaving = ids.slice(3, 503);
    await Promise.all(leaving.map((id) => store.settle(id, { state: 'done', reports: [] })));
    const next = await Promise.all(Array.from({ length: 100 }, () => commitMessage(store, sampleText(30_000))));
    const staying = [second, third, ...ids.slice(503), report.envelope.id, ...next.map(({ id }) => id)].sort();
    expect(await listIds(store.list({ limit: 10_000 }))).toEqual(staying);
    for (const id of staying) {
      const size = id === report.envelope.id ? 3000 : 30_000;
      expect((await readContent(await store.content(id))).equals(sampleText(size))).toBe(true);
    }
  });

  it('CMD-DATA-6 never lets it come to a write that fails, however the room is cut up', async () => {
    const errors = vi.spyOn(console, 'error');
    writeFileSync(join(disk, 'passing'), Buffer.alloc(8 << 20));
    const ids = await fillSpool(store, 3000);
    fillDisk();
    // Every other message leaves: much room, in holes of one page.
    await Promise.all(ids.filter(isEven).map((id) => store.settle(id, { state: 'done', reports: [] })));
    const staying = ids.filter((_, index) => !isEven('', index));
    const sizes = Array.from({ length: 200 }, (_, i) => [200_000, 3000, 600_000, 10][i % 4] as number);
    const results = await Promise.allSettled(sizes.map((size) => commitMessage(store, sampleText(size))));
    for (const result of results) {
      if (result.status === 'fulfilled') staying.push(result.value.id);
      else expect(result.reason).toMatchObject({ kind: 'full' });
    }
    expect(staying.length).toBeGreaterThan(ids.length / 2);
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    expect(await listIds(store.list({ limit: 20_000 }))).toEqual([...staying].sort());
    expect(errors).not.toHaveBeenCalled();

    rmSync(join(disk, 'passing'));
    const { id } = await commitMessage(store, sampleText(600_000));
    staying.push(id);
    await store.close();
    store = await openSpool({ path: join(disk, 'spool'), now: Date.now });
    expect(await listIds(store.list({ limit: 20_000 }))).toEqual([...staying].sort());
    expect((await readContent(await store.content(id))).equals(sampleText(600_000))).toBe(true);
  });

  it('CMD-DATA-6 starts on a disk that has no room left, and delivers from there', async () => {
    const ids = await fillSpool(store, 30_000);
    fillDisk();
    const draft = store.draft();
    const writeAll = async () => {
      for (let i = 0; i < 20; i++) await draft.write(sampleText(64 * 1024));
      await draft.commit(sampleEnvelope(draft.id, 20 * 64 * 1024));
    };
    await expect(writeAll()).rejects.toMatchObject({ kind: 'full' });
    await store.close();
    store = await openSpool({ path: join(disk, 'spool'), now: Date.now });
    const claimed = await store.claim({ now: Date.now() + 1000, limit: 10_000, until: Number.POSITIVE_INFINITY });
    expect(claimed.map(({ envelope }) => envelope.id)).toEqual([...ids].sort());
    await Promise.all(ids.map((id) => store.settle(id, { state: 'done', reports: [] })));
    expect(store.count()).toBe(0);
    await commitMessage(store, sampleText(1_000_000));
  });
});

function isEven(_: string, index: number): boolean {
  return index % 2 === 0;
}
