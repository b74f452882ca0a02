import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from './start-child.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CALLS = 'openat,pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,msync,sync_file_range';
const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

/** One system call on the file of the spool or on standard output, by its place in the trace. */
interface Call {
  readonly name: string;
  readonly fd: number;
  readonly text: string;
  readonly begin: number;
  readonly end: number;
  readonly result: number;
}

/** Reads what strace wrote; a call that was interrupted by others has two lines. */
function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { text: string; begin: number }>();
  for (const [index, line] of text.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const begun = resumed === null ? { text: rest, begin: index } : open.get(pid);
    if (begun === undefined) continue;
    const whole = resumed === null ? rest : begun.text + (resumed[1] ?? '');
    if (whole.endsWith('<unfinished ...>')) {
      open.set(pid, { text: whole.slice(0, -'<unfinished ...>'.length), begin: index });
      continue;
    }
    const [, name, fd, result] = /^(\w+)\((\d+|AT_FDCWD)?.*= (-?\d+)/.exec(whole) ?? [];
    if (name === undefined) continue;
    calls.push({ name, fd: Number(fd), text: whole, begin: begun.begin, end: index, result: Number(result) });
  }
  return calls;
}

async function trace(writers: number, count: number): Promise<{ calls: Call[]; lines: string[]; path: string }> {
  const path = temporaryDirectory();
  const output = join(path, 'trace');
  const prefix = ['strace', '-f', '-v', '-s', '512', '-e', `trace=${CALLS}`, '-o', output];
  const child = startChild(['commit', path, `${writers}`, `${count}`], { prefix });
  expect(await child.ended).toMatchObject({ code: 0 });
  return { calls: parseTrace(readFileSync(output, 'utf8')), lines: child.lines, path };
}

/** The calls on the data of the spool: of pages, of the heads that make pages count, written through, and syncs. */
function dataCalls(calls: readonly Call[]) {
  const opened = calls.filter(({ text }) => /^openat.*"[^"]*data\.mdb"/.test(text) && !text.includes('/owner/'));
  const fdOf = (flag: RegExp) => opened.filter(({ text }) => flag.test(text)).at(-1)?.result;
  const [plain, direct] = [fdOf(/O_RDWR\|O_CREAT/), fdOf(/O_WRONLY\|O_D?SYNC/)];
  const isWrite = ({ name }: Call) => name.includes('write');
  return {
    pages: calls.filter((call) => isWrite(call) && call.fd === plain),
    heads: calls.filter((call) => isWrite(call) && call.fd === direct),
    syncs: calls.filter(({ name, fd, result }) => name === 'fdatasync' && fd === plain && result === 0),
  };
}

const said = (calls: readonly Call[], words: string) =>
  calls.find(({ name, fd, text }) => name === 'write' && fd === 1 && text.includes(words)) as Call;

describe.skipIf(!hasStrace && process.env.CI === undefined)('the order of system calls', () => {
  it.each([
    { writers: 1, count: 20 },
    { writers: 50, count: 4 },
  ])(
    'CMD-DATA-6 shows the data synced, and the page that makes it count written through, before a commit of $writers writers resolves',
    async (load) => {
      const { calls, lines } = await trace(load.writers, load.count);
      const { pages, heads, syncs } = dataCalls(calls);
      const kept = lines.filter((line) => line.startsWith('kept '));
      expect(kept.length).toBe(load.writers * load.count);
      for (const line of kept) {
        const id = line.slice('kept '.length);
        const told = said(calls, line);
        const written = pages.find(({ text }) => text.includes(`\\"id\\":\\"${id}\\"`)) as Call;
        const synced = syncs.find(({ begin, end }) => begin > written.end && end < told.begin) as Call;
        expect(synced).toBeDefined();
        // No page of the transaction is written behind its sync.
        const head = heads.find(({ begin, end }) => begin > synced.end && end < told.begin) as Call;
        expect(head).toBeDefined();
        expect(pages.some(({ begin }) => begin > synced.end && begin < head.begin)).toBe(false);
      }
      if (load.writers > 1) expect(syncs.length).toBeLessThan(kept.length / 2);
    },
  );

  it('CMD-DATA-6 shows the directory synced before the spool takes mail', async () => {
    const { calls, path } = await trace(1, 1);
    const isDirectory = ({ text }: Call) => text.startsWith('openat') && text.includes(`"${path}", O_RDONLY`);
    const opened = calls.find((call) => isDirectory(call) && !call.text.includes('O_DIRECTORY')) as Call;
    const synced = calls.find(({ name, fd, begin }) => name === 'fsync' && fd === opened.result && begin > opened.end);
    expect(synced?.result).toBe(0);
    expect(synced?.end).toBeLessThan(said(calls, 'open').begin);
  });

  it('CLI-DUP-3 shows a settlement synced before it resolves', async () => {
    const { calls, lines } = await trace(1, 20);
    const { pages, heads, syncs } = dataCalls(calls);
    for (const line of lines.filter((line) => line.startsWith('gone '))) {
      const kept = said(calls, line.replace('gone', 'kept'));
      const told = said(calls, line);
      const between = ({ begin, end }: Call) => begin > kept.begin && end < told.begin;
      const written = pages.filter(between).at(-1) as Call;
      const synced = syncs.filter(between).at(-1) as Call;
      expect(synced.begin).toBeGreaterThan(written.end);
      expect(heads.filter(between).at(-1)?.begin).toBeGreaterThan(synced.end);
    }
    expect(lines.filter((line) => line.startsWith('gone ')).length).toBe(20);
  });
});
