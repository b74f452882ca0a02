import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { syncDirectory } from '../../src/agents/durable-file.ts';
import { createMaildirAgent } from '../../src/agents/maildir.ts';
import { jobOf, moment } from './delivery-job.ts';
import { makeFolder } from './mailbox-folder.ts';

/** What was done to files, in its order; and the names that the next messages get. */
const { steps, names } = vi.hoisted(() => ({ steps: [] as string[], names: [] as string[] }));

vi.mock('../../src/agents/maildir-name.ts', () => ({ nextMaildirName: () => names.shift() ?? 'none left' }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...original,
    async open(path: string, ...rest: [string, number]) {
      const file = await original.open(path, ...rest);
      const watch = (step: 'write' | 'sync' | 'close') => {
        const run = file[step].bind(file) as (...values: unknown[]) => Promise<unknown>;
        Object.defineProperty(file, step, {
          value: (...values: unknown[]) => run(...values).finally(() => steps.push(`${step} ${basename(path)}`)),
        });
      };
      for (const step of ['write', 'sync', 'close'] as const) watch(step);
      return file;
    },
    link: (from: string, to: string) =>
      original.link(from, to).then(() => steps.push(`link ${basename(from)} ${basename(to)}`)),
    unlink: (path: string) => original.unlink(path).then(() => steps.push(`unlink ${basename(path)}`)),
  };
});

async function prepare(path: string): Promise<void> {
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(path, part), { recursive: true });
  steps.length = 0;
}

beforeEach(() => {
  names.length = 0;
});

it('LOC-MD-1 syncs and closes the file before it is linked to new, and syncs new before it says delivered', async () => {
  await using folder = await makeFolder();
  await prepare(folder.path);
  names.push('a', 'b');
  const nextHop = { kind: 'maildir', key: '', path: folder.path } as const;
  await createMaildirAgent(() => moment).deliver(jobOf({ nextHop }));
  expect(steps).toEqual(['write a', 'sync a', 'close a', 'link a b,S=111', 'sync new', 'close new', 'unlink a']);
});

it('LOC-MD-1 takes another name when one is taken, and gives up when all are, and replaces nothing', async () => {
  await using folder = await makeFolder();
  await prepare(folder.path);
  await writeFile(join(folder.path, 'new', 'taken,S=111'), 'earlier');
  names.push('a', 'taken', 'taken', 'free', 'b', 'taken', 'taken', 'taken', 'taken', 'taken');
  const agent = createMaildirAgent(() => moment);
  const job = jobOf({ nextHop: { kind: 'maildir', key: '', path: folder.path } });
  expect(await agent.deliver(job)).toMatchObject([{ kind: 'delivered' }]);
  expect(await readFile(join(folder.path, 'new', 'free,S=111'), 'latin1')).toContain('Subject:');
  expect(await agent.deliver(job)).toMatchObject([{ kind: 'deferred', status: '4.3.0' }]);
  expect(await readFile(join(folder.path, 'new', 'taken,S=111'), 'latin1')).toBe('earlier');
});

it('shares one sync of a folder among all who come while another runs', async () => {
  await using folder = await makeFolder();
  await prepare(folder.path);
  const path = join(folder.path, 'new');
  await Promise.all(Array.from({ length: 10 }, () => syncDirectory(path)));
  expect(steps.filter((step) => step === 'sync new')).toHaveLength(2);
  await syncDirectory(path);
  expect(steps.filter((step) => step === 'sync new')).toHaveLength(3);
});
