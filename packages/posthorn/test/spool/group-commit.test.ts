import { Failure } from '@posthorn/smtp/failure/failure';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CommitRoom, GroupCommit, type WriteAll } from '../../src/spool/group-commit.ts';
import type { Write } from '../../src/spool/table.ts';

const MEBIBYTE = 1024 * 1024;
const writesOf = (key: string, size = 10): Write[] => [{ table: 'messages', key, value: Buffer.alloc(size) }];

/** Room for all, where each octet of a value takes one octet. */
const endless: CommitRoom = {
  needOf: (writes) => {
    const size = writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    return { size, growth: size };
  },
  begin: () => undefined,
  take: () => true,
};

/** A disk whose transactions end when the test says so. */
function createDisk() {
  const transactions: { keys: string[]; end: (failure?: Failure) => void }[] = [];
  let wake: (() => void) | undefined;
  const write: WriteAll = (writes) =>
    new Promise((resolve, reject) => {
      const keys = [...writes].map(({ key }) => key);
      transactions.push({ keys, end: (failure) => (failure === undefined ? resolve() : reject(failure)) });
      wake?.();
    });
  const reach = (count: number) =>
    new Promise<void>((resolve) => {
      wake = () => transactions.length >= count && resolve();
      wake();
    });
  return { transactions, write, reach };
}

describe('a group commit', () => {
  it('takes what comes in one turn, and what comes while it writes, into one transaction each', async () => {
    const disk = createDisk();
    const commits = new GroupCommit(disk.write, endless);
    const first = ['a', 'b', 'c'].map((key) => commits.commit(writesOf(key), 'new mail'));
    await disk.reach(1);
    const second = ['d', 'e'].map((key) => commits.commit(writesOf(key), 'queued mail'));
    const isSettled = vi.fn();
    void Promise.race([...first, ...second]).then(isSettled);
    await new Promise(setImmediate);
    expect(isSettled).not.toHaveBeenCalled();
    disk.transactions[0]?.end();
    await Promise.all(first);
    await disk.reach(2);
    disk.transactions[1]?.end();
    await Promise.all(second);
    expect(disk.transactions.map(({ keys }) => keys)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('does not let a transaction grow without bound, and lets a large commit through alone', async () => {
    const disk = createDisk();
    const commits = new GroupCommit(disk.write, endless);
    const sizes = [9, 9, 40, 5, 5, 5].map((size) => size * MEBIBYTE);
    const all = sizes.map((size, index) => commits.commit(writesOf(`${index}`, size), 'new mail'));
    for (let i = 0; i < 4; i++) {
      await disk.reach(i + 1);
      disk.transactions[i]?.end();
    }
    await Promise.all(all);
    expect(disk.transactions.map(({ keys }) => keys)).toEqual([['0'], ['1'], ['2'], ['3', '4', '5']]);
  });

  it('refuses those whose transaction failed, and none of the next', async () => {
    const disk = createDisk();
    const commits = new GroupCommit(disk.write, endless);
    const first = ['a', 'b'].map((key) => commits.commit(writesOf(key), 'new mail'));
    await disk.reach(1);
    const second = commits.commit(writesOf('c'), 'new mail');
    const failure = new Failure('storage', 'no');
    disk.transactions[0]?.end(failure);
    for (const commit of first) await expect(commit).rejects.toBe(failure);
    await disk.reach(2);
    disk.transactions[1]?.end();
    await second;
  });

  it('refuses alone what has no room, and leaves the rest of its transaction', async () => {
    const disk = createDisk();
    const take = vi.fn<CommitRoom['take']>(({ size }) => size < 100);
    const commits = new GroupCommit(disk.write, { ...endless, take });
    const all = [10, 200, 300, 20].map((size, index) => commits.commit(writesOf(`${index}`, size), 'new mail'));
    const results = Promise.allSettled(all);
    for (let i = 0; i < 2; i++) {
      await disk.reach(i + 1);
      disk.transactions[i]?.end();
    }
    const isFull = { status: 'rejected', reason: { kind: 'full' } };
    const isDone = { status: 'fulfilled' };
    expect(await results).toMatchObject([isDone, isFull, isFull, isDone]);
  });

  it('refuses all that waits when the file cannot be made longer, and goes on when it can', async () => {
    const disk = createDisk();
    const failure = new Failure('storage', 'no');
    const begin = vi.fn<CommitRoom['begin']>().mockImplementationOnce(() => Promise.reject(failure));
    const commits = new GroupCommit(disk.write, { ...endless, begin });
    const all = ['a', 'b'].map((key) => commits.commit(writesOf(key), 'queued mail'));
    for (const commit of all) await expect(commit).rejects.toBe(failure);
    const next = commits.commit(writesOf('c'), 'queued mail');
    await disk.reach(1);
    disk.transactions[0]?.end();
    await next;
  });
});

describe('a disk that hangs', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes everybody fail in the end, who waits and who comes', async () => {
    const disk = createDisk();
    const commits = new GroupCommit(disk.write, endless);
    const first = commits.commit(writesOf('a'), 'new mail');
    await disk.reach(1);
    const second = commits.commit(writesOf('b'), 'new mail');
    const results = Promise.allSettled([first, second]);
    vi.advanceTimersByTime(120_000);
    const isStorage = { status: 'rejected', reason: { kind: 'storage' } };
    expect(await results).toMatchObject([isStorage, isStorage]);
    await expect(commits.commit(writesOf('c'), 'new mail')).rejects.toMatchObject({ kind: 'storage' });
    expect(await commits.close(new Failure('storage', 'closed'))).toBe(false);
    expect(disk.transactions.length).toBe(1);
  });
});
