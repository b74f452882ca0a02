import { expect, it } from 'vitest';
import { openTables } from '../../src/spool/lmdb-tables.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { planState } from '../../src/spool/plan.ts';
import { createIdSource } from '../../src/spool/queue-id.ts';
import { deferredState, sampleEnvelope, sampleText } from './spool-samples.ts';
import { startChild } from './start-child.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const DEPTH = 100_000;
const MEBIBYTE = 1024 * 1024;

/** Puts deferred messages into a spool, as settling each of them would. */
async function deepSpool(): Promise<string> {
  const path = temporaryDirectory();
  await (await openSpool({ path, now: Date.now })).close();
  const { root, tables } = openTables(path);
  const nextId = createIdSource(Date.now);
  const content = sampleText(1000);
  for (let done = 0; done < DEPTH; done += 10_000) {
    await root.batch(() => {
      for (let i = 0; i < 10_000; i++) {
        const id = nextId();
        const state = deferredState(Date.now() + ((i * 7919) % 100_000) * 100);
        const message = { envelope: sampleEnvelope(id, 1000), state, fresh: true, parts: 0 };
        const { writes } = planState(id, { message, place: { fresh: true, parts: 0 }, content }, state);
        for (const { table, key, value } of writes)
          if (value !== undefined) void tables[table].database.put(key, value);
      }
    });
  }
  await root.close();
  return path;
}

it.runIf(process.platform === 'linux')('a deep queue costs disk, not memory', async () => {
  const child = startChild(['depth', await deepSpool()], { flags: ['--expose-gc'] });
  const memory = JSON.parse(await child.line('{'));
  expect(memory).toMatchObject({ claimed: 1000, listed: DEPTH });
  expect(memory.ready).toBeLessThan(50 * MEBIBYTE);
  expect(memory.used).toBeLessThan(50 * MEBIBYTE);
  expect((await child.ended).code).toBe(0);
});
