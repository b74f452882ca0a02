import { Failure } from '@posthorn/smtp/failure/failure';
import { GroupCommit } from './group-commit.ts';
import type { LmdbSpool } from './lmdb-tables.ts';
import type { Room } from './room.ts';
import type { Backend, Write } from './table.ts';

/** The longest that one transaction may take, in milliseconds; a disk that is slower is taken for dead. */
const DEADLINE = 120_000;

/** ENOSPC, EFBIG, EDQUOT, MDB_MAP_FULL, MDB_TXN_FULL. */
const FULL: readonly number[] = [28, 27, 122, -30792, -30788];

/** A spool on LMDB, with group commit. */
export function createLmdbBackend(spool: LmdbSpool, room: Room): Backend {
  const { root, tables } = spool;
  let dead: Failure | undefined;

  async function write(writes: Iterable<Write>): Promise<void> {
    if (dead !== undefined) throw dead;
    try {
      await withDeadline(root.batch(() => apply(writes)));
    } catch (error) {
      const failure = await failureOf(error);
      if (error === expired) dead = failure;
      throw failure;
    }
  }

  function apply(writes: Iterable<Write>): void {
    for (const { table, key, value } of writes) {
      const { database } = tables[table];
      if (value === undefined) void database.remove(key);
      else void database.put(key, value);
    }
  }

  const commits = new GroupCommit(write, room);
  return {
    tables,
    commit: (writes, use) => commits.commit(writes, use),
    async close() {
      await commits.close(new Failure('storage', 'The spool is closed'));
      await room.close();
      // A transaction that hangs would hold up closing for ever.
      if (dead === undefined) await root.close();
    },
  };
}

const expired = new Error('A transaction did not end in time');

async function withDeadline(done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, DEADLINE, expired);
  });
  try {
    await Promise.race([done, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** A transaction that failed, as a failure: LMDB tells the cause by a promise that the error carries. */
async function failureOf(error: unknown): Promise<Failure> {
  const { commitError } = error as { commitError?: Promise<unknown> };
  const cause = commitError === undefined ? error : await commitError.catch((reason: unknown) => reason);
  const code = (cause as { code?: number }).code;
  // A file system that writes nothing in place may be full even so.
  if (code !== undefined && FULL.includes(code)) return new Failure('full', 'The disk of the spool is full', cause);
  return new Failure('storage', 'The spool cannot be written', cause);
}
