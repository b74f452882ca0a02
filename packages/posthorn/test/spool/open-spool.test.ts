import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openTables, viewTables } from '../../src/spool/lmdb-tables.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { openSpoolReadOnly } from '../../src/spool/open-spool-read-only.ts';
import { domainSuite } from './domain-suite.ts';
import { queueStoreSuite } from './queue-store-suite.ts';
import {
  commitMessage,
  deferredState,
  listAll,
  listIds,
  readContent,
  sampleMessage,
  sampleText,
} from './spool-samples.ts';
import { startChild } from './start-child.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-spool-'));
let count = 0;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

queueStoreSuite('LMDB', (options) => openSpool({ path: join(directory, `${count++}`), ...options }));
domainSuite('LMDB', (options) => openSpool({ path: join(directory, `${count++}`), ...options }));

/** Copies an open spool as a crash would leave it. */
function copySpool(path: string): string {
  const copy = join(temporaryDirectory(), 'copy');
  mkdirSync(copy);
  copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'));
  return copy;
}

describe('a spool that is opened again', () => {
  const now = () => 1_700_000_000_000;

  it('CMD-DATA-6 has all that was committed, due at once, whoever had it in hand', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    const leased = await commitMessage(store, sampleText(5000));
    const large = await commitMessage(store, sampleText(1_000_000));
    const report = sampleMessage(store, sampleText(10));
    await store.add([report]);
    await store.claim({ now: now(), limit: 1, until: now() + 1_000_000 });
    const open = await openSpool({ path: copySpool(path), now });
    const claimed = await open.claim({ now: now(), limit: 10, until: now() + 1 });
    expect(claimed.map(({ envelope }) => envelope)).toEqual([leased.envelope, large.envelope, report.envelope]);
    expect((await readContent(await open.content(large.id))).equals(sampleText(1_000_000))).toBe(true);
    await Promise.all([store.close(), open.close()]);
  });

  it('CLI-DUP-3 has the states as they were settled, each due at its own time', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    const [deferred, held, done] = await Promise.all([1, 2, 3].map((size) => commitMessage(store, sampleText(size))));
    const states = [deferredState(now() + 500), deferredState(now(), { held: true })] as const;
    await store.settle(deferred?.id as string, { state: states[0], reports: [] });
    await store.settle(held?.id as string, { state: states[1], reports: [] });
    await store.settle(done?.id as string, { state: 'done', reports: [] });
    await store.close();
    const again = await openSpool({ path, now });
    expect((await listAll(again.list())).map(({ state }) => state)).toEqual(states);
    expect(again.nextDue()).toBe(now() + 500);
    expect(await again.claim({ now: now() + 499, limit: 9, until: now() + 999 })).toEqual([]);
    expect((await again.claim({ now: now() + 500, limit: 9, until: now() + 999 })).length).toBe(1);
    await again.close();
  });

  it('CMD-DATA-6 has nothing of what was not committed', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    const draft = store.draft();
    for (let i = 0; i < 40; i++) await draft.write(sampleText(60_000));
    const kept = await commitMessage(store, sampleText(700_000));
    const copy = copySpool(path);
    const before = openTables(copy);
    expect(before.tables.drafts.count()).toBe(1);
    expect(before.tables.parts.count()).toBeGreaterThan(8);
    await before.root.close();
    const again = await openSpool({ path: copy, now });
    expect(await listIds(again.list())).toEqual([kept.id]);
    await again.close();
    const after = viewTables(copy);
    expect(after.tables.drafts.count()).toBe(0);
    expect(after.tables.parts.count()).toBe(3);
    await Promise.all([after.root.close(), store.close()]);
  });

  it('goes on with the others when a record cannot be read', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    const messages = [1, 2, 3].map((size) => sampleMessage(store, sampleText(size)));
    await store.add(messages);
    const [first, second, third] = messages.map(({ envelope }) => envelope.id) as [string, string, string];
    await store.close();
    const { root, tables } = openTables(path);
    await tables.messages.database.put(second, sampleText(50));
    await root.close();
    const again = await openSpool({ path, now });
    const claimed = await again.claim({ now: now(), limit: 10, until: now() + 1 });
    expect(claimed.map(({ envelope }) => envelope.id)).toEqual([first, third]);
    expect(await listIds(again.list())).toEqual([first, third]);
    await expect(again.get(second)).rejects.toMatchObject({ kind: 'storage' });
    await expect(again.content(second)).rejects.toMatchObject({ kind: 'storage' });
    await again.settle(first, { state: 'done', reports: [] });
    await again.settle(third, { state: 'done', reports: [] });
    expect(again.nextDue()).toBeUndefined();
    await again.close();
  });

  it('does not make its file longer when messages come and go', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    const pass = async () => {
      const messages = await Promise.all(Array.from({ length: 50 }, () => commitMessage(store, sampleText(20_000))));
      await Promise.all(messages.map(({ id }) => store.settle(id, { state: 'done', reports: [] })));
    };
    for (let i = 0; i < 10; i++) await pass();
    const before = statSync(join(path, 'data.mdb')).size;
    for (let i = 0; i < 40; i++) await pass();
    expect(statSync(join(path, 'data.mdb')).size).toBeLessThanOrEqual(before + 4 * 1024 * 1024);
    await store.close();
  });
});

describe('a spool that cannot be opened', () => {
  const now = Date.now;

  it('is refused when it has a format that is not known', async () => {
    const path = temporaryDirectory();
    await (await openSpool({ path, now })).close();
    const { meta, root } = openTables(path);
    meta.putSync('format', Buffer.from('99'));
    await root.close();
    await expect(openSpool({ path, now })).rejects.toMatchObject({
      kind: 'storage',
      message: expect.stringMatching(/format 99.*format 1.*Run the version that wrote it/),
    });
    expect(() => openSpoolReadOnly(path)).toThrow(expect.objectContaining({ kind: 'storage' }));
  });

  it('is refused when its file is something else', async () => {
    const path = temporaryDirectory();
    writeFileSync(join(path, 'data.mdb'), sampleText(100_000));
    await expect(openSpool({ path, now })).rejects.toMatchObject({ kind: 'storage' });
    writeFileSync(join(path, 'file'), '');
    await expect(openSpool({ path: join(path, 'file'), now })).rejects.toMatchObject({ kind: 'storage' });
  });

  it('is refused to a second one in the same process, until it is closed', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now });
    await expect(openSpool({ path, now })).rejects.toMatchObject({ kind: 'storage' });
    await commitMessage(store, sampleText(10));
    await store.close();
    const again = await openSpool({ path, now });
    expect(again.count()).toBe(1);
    await again.close();
  });

  it('is refused to a second process while the first one lives, and no longer when that is killed', async () => {
    const path = temporaryDirectory();
    const child = startChild(['hold', path]);
    const line = await child.line('open');
    const refused = { kind: 'storage', message: expect.stringContaining(`process ${line.split(' ')[1]}`) };
    await expect(openSpool({ path, now })).rejects.toMatchObject(refused);
    await expect(openSpool({ path, now })).rejects.toMatchObject(refused);
    child.process.kill('SIGKILL');
    await child.ended;
    const store = await openSpool({ path, now });
    const other = startChild(['hold', path]);
    expect((await other.ended).errors).toContain(`in use by process ${process.pid}`);
    await commitMessage(store, sampleText(10));
    await store.close();
    const third = startChild(['hold', path]);
    await third.line('open');
    third.process.stdin.end();
    expect((await third.ended).code).toBe(0);
  });

  it('is given to a process that has the number of an owner which died', async () => {
    const path = temporaryDirectory();
    const child = startChild(['hold', path]);
    await child.line('open');
    child.process.kill('SIGKILL');
    await child.ended;
    const { meta, root } = openTables(path);
    // The parent of the tests runs, under a number that a dead owner might have had.
    meta.putSync('owner', Buffer.from(String(process.ppid)));
    await root.close();
    const store = await openSpool({ path, now });
    await store.close();
  });
});

describe('a spool that is only read', () => {
  it('shows what another process does to it', async () => {
    const path = temporaryDirectory();
    const child = startChild(['work', path]);
    await child.line('deferred');
    const spool = openSpoolReadOnly(path);
    let seen = 0;
    for await (const { envelope, state } of spool.list({ limit: 500 })) {
      seen++;
      expect(state.recipients.length).toBe(1);
      const content = await spool.content(envelope.id).catch((error) => error);
      if (content.kind === undefined) expect(content.size).toBe(envelope.size);
      else expect(content.kind).toBe('storage');
    }
    expect(seen).toBeGreaterThan(0);
    expect(spool.count()).toBeGreaterThan(0);
    child.process.kill('SIGKILL');
    await child.ended;
    const [id] = (await listIds(spool.list({ limit: 1 }))) as [string];
    expect((await spool.get(id))?.envelope.id).toBe(id);
    expect((await readContent(await spool.content(id))).length).toBeGreaterThan(0);
    await spool.close();
  });

  it('may be in the process that writes it', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now: Date.now });
    const spool = openSpoolReadOnly(path);
    const { id } = await commitMessage(store, sampleText(10));
    expect((await spool.get(id))?.envelope.id).toBe(id);
    await spool.close();
    await store.settle(id, { state: 'done', reports: [] });
    expect(store.count()).toBe(0);
    await store.close();
  });

  it('is shown though it was written before some of its tables were known', async () => {
    const path = temporaryDirectory();
    const store = await openSpool({ path, now: Date.now });
    const { id } = await commitMessage(store, sampleText(10));
    await store.close();
    const { root, tables } = openTables(path);
    for (const { database } of [tables.domains, tables.once, tables.tracks, tables.checkpoints]) await database.drop();
    await root.close();
    const spool = openSpoolReadOnly(path);
    expect(await listIds(spool.list())).toEqual([id]);
    expect((await readContent(await spool.content(id))).equals(sampleText(10))).toBe(true);
    await spool.close();
    const again = await openSpool({ path, now: Date.now });
    expect(again.count()).toBe(1);
    await again.close();
  });

  it('is refused where there is none', () => {
    const path = temporaryDirectory();
    expect(() => openSpoolReadOnly(path)).toThrow(expect.objectContaining({ kind: 'storage' }));
    expect(() => openSpoolReadOnly(join(path, 'none'))).toThrow(expect.objectContaining({ kind: 'storage' }));
  });
});
