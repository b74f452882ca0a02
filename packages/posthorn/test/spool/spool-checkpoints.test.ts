import { cpSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Checkpoint, CheckpointLimits, KeptDraft } from '../../src/queue/checkpoint.ts';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { keysTooMany } from '../../src/spool/keys-too-many.ts';
import { viewTables } from '../../src/spool/lmdb-tables.ts';
import { createMemoryBackend } from '../../src/spool/memory-backend.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { SpoolStore } from '../../src/spool/spool-store.ts';
import { commitMessage, readContent, sampleEnvelope, sampleText } from './spool-samples.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const part = 256 * 1024;
const trace = Buffer.from('Received: by x\r\n');
const mailbox = (localPart: string) => ({ localPart, domain: 'x.test' });

let time = 1_700_000_000_000;
const now = () => time;
const open: QueueStore[] = [];

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

function checkpoint(change: Partial<Checkpoint> = {}): Checkpoint {
  const recipients = [{ mailbox: mailbox('b'), parameters: {} }];
  return {
    reversePath: mailbox('a'),
    mail: { transactionId: '1@x' },
    recipients,
    by: 'DATA',
    prefix: trace.length,
    ...change,
  };
}

async function openStore(path: string, checkpoints?: CheckpointLimits): Promise<QueueStore> {
  const store = await openSpool({ path, now, ...(checkpoints === undefined ? {} : { checkpoints }) });
  open.push(store);
  return store;
}

function memoryStore(capacity?: number): QueueStore {
  const store = createMemoryStore({ now, ...(capacity === undefined ? {} : { capacity }) });
  open.push(store);
  return store;
}

async function write(draft: KeptDraft, text: Buffer): Promise<void> {
  for (let at = 0; at < text.length; at += 60_000) await draft.write(text.subarray(at, at + 60_000));
}

/** Begins a transaction, writes some of its text, and leaves it. */
async function leave(store: QueueStore, key: string, text: Buffer, change: Partial<Checkpoint> = {}): Promise<void> {
  const draft = store.checkpoints.begin(key, () => checkpoint(change));
  draft.write(trace);
  await write(draft, text);
  await draft.suspend();
}

async function goOn(store: QueueStore, key: string): Promise<{ draft: KeptDraft; offset: number }> {
  const kept = store.checkpoints.get(key);
  if (kept === undefined) throw new Error('nothing is kept');
  const draft = await store.checkpoints.resume(key, kept, () => kept.checkpoint);
  return { draft, offset: kept.offset };
}

async function commit(draft: KeptDraft): Promise<Buffer> {
  return readContent(await draft.commit(sampleEnvelope(draft.id, draft.size)));
}

/** What the file of a spool holds, by table. */
async function countAll(path: string): Promise<Record<string, number>> {
  const { root, tables } = viewTables(path);
  const counts = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.count()]));
  await root.close();
  return counts;
}

/** Lines that differ, so that none can be taken for another. */
function lines(size: number, length = 70): Buffer {
  const text = Buffer.alloc(size, 'x');
  for (let at = 0, line = 0; at + length <= size; at += length, line += 1)
    text.write([`${line} `.padEnd(length - 2, '.'), '\r\n'].join(''), at, 'latin1');
  return text;
}

describe('a transaction that is left', () => {
  it('EXT-CKPT-4 is gone on with from its last line end, wherever it was cut and however large it is', async () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: part - 90, max: part + 90 }),
      fc.integer({ min: 2 * part - 90, max: 2 * part + 90 }),
    );
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.array(size, { maxLength: 3 }),
        fc.integer({ min: 3, max: 2000 }),
        async (whole, cuts, length) => {
          const store = memoryStore();
          const text = Buffer.concat([lines(whole, length), Buffer.from('\r\n')]);
          let at = 0;
          for (const cut of cuts) {
            if (store.checkpoints.get('k') === undefined) {
              await store.checkpoints.remove('k');
              await leave(store, 'k', text.subarray(0, cut));
            } else {
              const { draft, offset } = await goOn(store, 'k');
              await write(draft, text.subarray(offset, offset + cut));
              await draft.suspend();
            }
            at = store.checkpoints.get('k')?.offset ?? 0;
            expect(at === 0 || text.toString('latin1', at - 2, at) === '\r\n').toBe(true);
          }
          const draft = at > 0 ? (await goOn(store, 'k')).draft : store.checkpoints.begin('l', () => checkpoint());
          if (at === 0) draft.write(trace);
          await write(draft, text.subarray(at));
          expect((await commit(draft)).equals(Buffer.concat([trace, text]))).toBe(true);
          await store.close();
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('EXT-CKPT-4 is gone on with from any octet when it came in chunks, but from no half of a line end', async () => {
    const store = memoryStore();
    await leave(store, 'text', Buffer.from('one\r\ntw'), { by: 'BDAT' });
    await leave(store, 'half', Buffer.from('one\r'), { by: 'BDAT' });
    await leave(store, 'binary', Buffer.from('one\r'), {
      by: 'BDAT',
      mail: { body: 'BINARYMIME', transactionId: '1@x' },
    });
    expect(store.checkpoints.get('text')?.offset).toBe(7);
    expect(store.checkpoints.get('half')?.offset).toBe(3);
    expect(store.checkpoints.get('binary')?.offset).toBe(4);
  });

  it('EXT-CKPT-3 leaves nothing behind when nothing of it is worth going on with', async () => {
    const store = memoryStore();
    await leave(store, 'torn', Buffer.from('no line end'));
    expect(store.checkpoints.get('torn')).toBeUndefined();
    const draft = store.checkpoints.begin('none', () => undefined);
    draft.write(trace);
    await draft.suspend();
    expect(store.checkpoints.get('none')).toBeUndefined();
  });

  it('EXT-CKPT-5 survives a restart and a crash, and what is no transaction of that kind does not', async () => {
    const path = temporaryDirectory();
    const store = await openStore(path);
    await leave(store, 'left', lines(3 * part));
    const open = store.checkpoints.begin('open', () => checkpoint());
    open.write(trace);
    await write(open, lines(2 * part + 100));
    const lost = store.draft();
    for (let at = 0; at < 12; at += 1) await lost.write(sampleText(60_000));
    // What a crash leaves: the files as they stand now.
    const copy = temporaryDirectory();
    cpSync(join(path, 'data.mdb'), join(copy, 'data.mdb'));
    const again = await openStore(copy);
    expect(again.checkpoints.get('left')?.offset).toBeGreaterThan(3 * part - 80);
    const offset = again.checkpoints.get('open')?.offset ?? 0;
    expect(offset).toBeGreaterThan(part - 200);
    const { draft } = await goOn(again, 'open');
    await write(draft, lines(2 * part + 100).subarray(offset));
    expect((await commit(draft)).equals(Buffer.concat([trace, lines(2 * part + 100)]))).toBe(true);
    await again.checkpoints.remove('open');
    await again.checkpoints.remove('left');
    await again.settle(draft.id, { state: 'done', reports: [] });
    await again.close();
    expect(await countAll(copy)).toMatchObject({ drafts: 0, parts: 0, checkpoints: 0, messages: 0, states: 0 });
  });

  it('EXT-CKPT-5 is forgotten when its time is over, to whoever asks and on disk', async () => {
    const path = temporaryDirectory();
    const store = await openStore(path, { time: 1000, count: 9, octets: 2 ** 30 });
    await leave(store, 'old', lines(2 * part));
    time += 600;
    await leave(store, 'new', lines(2 * part));
    time += 600;
    expect(store.checkpoints.get('old')).toBeUndefined();
    await store.checkpoints.sweep();
    expect(store.checkpoints.get('new')).toBeDefined();
    await store.close();
    expect(await countAll(path)).toMatchObject({ drafts: 1, parts: 3, checkpoints: 1 });
  });

  it('EXT-CKPT-5 SEC-RES-1 gives way to newer ones when there are too many, or they are too large', async () => {
    const few = await openStore(temporaryDirectory(), { time: 1e9, count: 2, octets: 2 ** 30 });
    const small = await openStore(temporaryDirectory(), { time: 1e9, count: 99, octets: 3 * part });
    for (const key of ['one', 'two', 'three']) {
      await leave(few, key, lines(200));
      await leave(small, key, lines(200));
    }
    await expect
      .poll(() => ['one', 'two', 'three'].map((key) => few.checkpoints.get(key)?.offset))
      .toEqual([undefined, 140, 140]);
    expect(['one', 'two', 'three'].map((key) => small.checkpoints.get(key)?.offset)).toEqual([140, 140, 140]);
    await leave(small, 'large', lines(part));
    await expect
      .poll(() => ['one', 'two', 'three'].map((key) => small.checkpoints.get(key)?.offset))
      .toEqual([undefined, undefined, 140]);
    expect(small.checkpoints.get('large')).toBeDefined();
  });

  it('EXT-CKPT-3 EXT-CKPT-5 is remembered as complete behind its commit, until it is forgotten, which leaves the message', async () => {
    const path = temporaryDirectory();
    const store = await openStore(path);
    await leave(store, 'k', Buffer.from('one\r\n'));
    const { draft } = await goOn(store, 'k');
    await write(draft, Buffer.from('two\r\n'));
    await commit(draft);
    expect(store.checkpoints.get('k')).toMatchObject({ id: draft.id, offset: 10, isComplete: true });
    await store.close();
    const again = await openStore(path);
    expect(again.checkpoints.get('k')).toMatchObject({ id: draft.id, offset: 10, isComplete: true });
    await again.checkpoints.remove('k');
    expect(again.checkpoints.get('k')).toBeUndefined();
    expect((await readContent(await again.content(draft.id))).toString()).toBe(`${trace}one\r\ntwo\r\n`);
    await again.close();
    expect(await countAll(path)).toMatchObject({ drafts: 0, parts: 0, checkpoints: 0, messages: 1 });
  });

  it('EXT-CKPT-3 CLI-DUP-1 is in no instant complete without its message when the commit is taken back', async () => {
    const backend = createMemoryBackend(2 ** 30);
    const states: string[] = [];
    const commitAll = backend.commit.bind(backend);
    backend.commit = async (writes, use) => {
      await commitAll(writes, use);
      // What a crash would leave after this transaction.
      const { messages, checkpoints, parts } = backend.tables;
      const isComplete = checkpoints.get('k')?.includes('"complete"') === true;
      states.push(`${messages.count()} ${isComplete ? 'complete' : '-'} ${parts.count()}`);
    };
    const store = new SpoolStore(backend, now);
    const draft = store.checkpoints.begin('k', () => checkpoint());
    draft.write(trace);
    await write(draft, lines(part));
    await draft.commit(sampleEnvelope(draft.id, draft.size));
    const superseded = draft.suspend();
    await draft.takeBack();
    await superseded;
    expect(states.at(-2)).toMatch(/^1 complete [12]$/);
    expect(states.at(-1)).toBe('0 - 0');
    expect(states.filter((state) => state.startsWith('0 complete'))).toEqual([]);
    expect([store.checkpoints.get('k'), store.count()]).toEqual([undefined, 0]);
  });

  it('EXT-CKPT-5 SEC-RES-1 leaves what others have when one client leaves much', async () => {
    const store = await openStore(temporaryDirectory(), { time: 1e9, count: 100, octets: 8 * 4 * part });
    await leave(store, 'mine', lines(200), { client: 'mine' });
    for (let index = 0; index < 30; index += 1) await leave(store, `other${index}`, lines(200), { client: 'other' });
    const others = () =>
      Array.from({ length: 30 }, (_, index) => store.checkpoints.get(`other${index}`)).filter(Boolean).length;
    await expect.poll(others).toBe(4);
    expect(store.checkpoints.get('mine')).toBeDefined();
    expect(store.checkpoints.get('other29')).toBeDefined();
  });

  it('EXT-CKPT-5 SEC-RES-1 takes from who has most when there is too much in all, and has no client without its last', () => {
    const entries = fc.array(
      fc.record({ client: fc.constantFrom('a', 'b', 'c', undefined), octets: fc.integer({ min: 0, max: 5 }) }),
      { maxLength: 60 },
    );
    const room = fc.record({ count: fc.integer({ min: 1, max: 40 }), octets: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(entries, room, (list, bounds) => {
        const all = new Map(list.map((each, index) => [`${index}`, each]));
        const gone = new Set(keysTooMany(all, bounds));
        const left = [...all].filter(([key]) => !gone.has(key));
        expect(left.length).toBeLessThanOrEqual(bounds.count);
        expect(left.reduce((sum, [, { octets }]) => sum + octets, 0)).toBeLessThanOrEqual(bounds.octets);
        // Of each client the newest stay.
        for (const client of ['a', 'b', 'c', undefined]) {
          const own = [...all].filter(([, each]) => each.client === client).map(([key]) => gone.has(key));
          expect(own.lastIndexOf(true)).toBeLessThan(own.includes(false) ? own.indexOf(false) : own.length);
        }
      }),
    );
  });

  it('is not kept, and takes no room, when the disk is full', async () => {
    const store = memoryStore(2 * part);
    const draft = store.checkpoints.begin('k', () => checkpoint());
    draft.write(trace);
    await write(draft, lines(2 * part - 1000));
    const other = await commitMessage(store, sampleText(200_000));
    await expect(draft.suspend()).rejects.toMatchObject({ kind: 'full' });
    expect(store.checkpoints.get('k')).toBeUndefined();
    await store.settle(other.id, { state: 'done', reports: [] });
    await commitMessage(store, sampleText(2 * part - 4096));
  });

  it('takes no more from the session that had it', async () => {
    const store = memoryStore();
    const draft = store.checkpoints.begin('k', () => checkpoint());
    draft.write(trace);
    draft.write(Buffer.from('one\r\n'));
    await Promise.all([draft.suspend(), draft.suspend()]);
    expect(() => draft.write(Buffer.from('x'))).toThrow(expect.objectContaining({ kind: 'aborted' }));
    await draft.discard();
    expect(store.checkpoints.get('k')?.offset).toBe(5);
  });
});
