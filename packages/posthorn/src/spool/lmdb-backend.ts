import { Failure } from '@posthorn/smtp/failure/failure';
import { GroupCommit } from './group-commit.ts';
import type { LmdbSpool } from './lmdb-tables.ts';
import type { Room } from './room.ts';
import type { Backend, Write } from './table.ts';

/** ENOSPC, EFBIG, EDQUOT, MDB_MAP_FULL, MDB_TXN_FULL. */
const FULL: readonly number[] = [28, 27, 122, -30792, -30788];

/** A spool on LMDB, with group commit. */
export function createLmdbBackend(spool: LmdbSpool, room: Room): Backend {
  const { root, tables } = spool;

  async function write(writes: Iterable<Write>): Promise<void> {
    try {
      await root.batch(() => apply(writes));
    } catch (error) {
      throw await failureOf(error);
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
      // A transaction that hangs would hold up closing for ever.
      if (!(await commits.close(new Failure('storage', 'The spool is closed')))) return;
      await room.close();
      await root.close();
    },
  };
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
