import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { viewTables } from '../../src/spool/lmdb-tables.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { parseRecord, parseState } from '../../src/spool/record.ts';
import { readContent } from './spool-samples.ts';
import { startChild } from './start-child.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CRASHES = 20;

interface Said {
  readonly kept: Set<string>;
  readonly gone: Set<string>;
  /** Messages whose last settlement was begun, but not said to be done. */
  readonly unsure: Set<string>;
  readonly deferred: Set<string>;
}

/** What the killed process had promised, by its own words. */
function read(lines: readonly string[], said: Said): void {
  for (const line of lines) {
    const [word, id, report] = line.split(' ') as [string, string, string];
    if (word === 'kept') said.kept.add(id);
    if (word === 'settling' || word === 'deferring') said.unsure.add(id);
    if (word === 'gone') {
      said.unsure.delete(id);
      said.kept.delete(id);
      said.gone.add(id);
    }
    if (word === 'deferred') {
      said.unsure.delete(id);
      said.deferred.add(id);
      said.kept.add(report);
    }
  }
}

/** Every message is whole, and there is nothing that belongs to none. */
async function checkWhole(path: string, store: QueueStore): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { envelope } of store.list({ limit: 1_000_000 })) {
    ids.add(envelope.id);
    const text = await readContent(await store.content(envelope.id));
    const seed = createHash('sha256').update(envelope.id).digest();
    expect(text.equals(Buffer.alloc(envelope.size, seed))).toBe(true);
  }
  const { tables, root } = viewTables(path);
  const parts = { start: '0', limit: 1_000_000 };
  let expected = 0;
  for (const id of tables.messages.keys(parts)) expected += parseRecord(id, tables.messages.get(id) as Buffer).parts;
  for (const id of tables.states.keys(parts)) expected += parseState(id, tables.states.get(id) as Buffer).parts;
  expect(tables.parts.keys(parts).length).toBe(expected);
  expect(tables.drafts.keys(parts)).toEqual([]);
  expect(tables.due.keys(parts).length).toBe(ids.size);
  await root.close();
  return ids;
}

it('CMD-DATA-6 CLI-DUP-3 loses nothing that it took, brings back nothing that it settled, and shows no half message when it is killed at any moment', async () => {
  const path = temporaryDirectory();
  const said: Said = { kept: new Set(), gone: new Set(), unsure: new Set(), deferred: new Set() };
  for (let crash = 0; crash < CRASHES; crash++) {
    const child = startChild(['work', path]);
    await child.line('kept');
    await wait(Math.random() * 100);
    child.process.kill('SIGKILL');
    expect((await child.ended).signal).toBe('SIGKILL');
    read(child.lines, said);

    const store = await openSpool({ path, now: Date.now });
    const ids = await checkWhole(path, store);
    for (const id of said.kept) if (!said.unsure.has(id)) expect(ids.has(id)).toBe(true);
    for (const id of said.gone) expect(ids.has(id)).toBe(false);
    for (const id of said.deferred) expect((await store.get(id))?.state.recipients[0]?.attempts).toBe(1);
    const claimed = await store.claim({ now: Date.now() + 60_000, limit: 1_000_000, until: Number.POSITIVE_INFINITY });
    expect(claimed.length).toBe(ids.size);
    // Half of them leave, so that the next run works between old messages and in the holes of others.
    const leaving = claimed.filter(() => Math.random() < 0.5).map(({ envelope }) => envelope.id);
    await Promise.all(leaving.map((id) => store.settle(id, { state: 'done', reports: [] })));
    said.unsure.clear();
    for (const id of said.kept) if (!ids.has(id)) said.kept.delete(id);
    for (const id of leaving) {
      said.gone.add(id);
      said.kept.delete(id);
      said.deferred.delete(id);
    }
    await store.close();
  }
  expect(said.gone.size).toBeGreaterThan(CRASHES);
}, 120_000);
