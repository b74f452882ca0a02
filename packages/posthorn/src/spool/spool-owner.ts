import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { open, type RootDatabase } from 'lmdb';
import { checkEnvironment } from './check-environment.ts';
import type { LmdbSpool } from './lmdb-tables.ts';

/** Spools that this process owns: LMDB tells processes apart, not callers within one. */
const owned = new Set<string>();

/** What stands for the right to write a spool. */
export interface Ownership {
  /** Throws Failure `storage` when another process has the right. */
  claim(spool: LmdbSpool): void;
  release(): Promise<void>;
}

/**
 * Opens what it takes to own a spool: the spool names its owner, and a small environment beside it, that only owners
 * open, lists who is alive. So neither a killed process nor its number given to another one stands in the way. Throws
 * Failure `storage` when this process has the spool already.
 */
export function openOwnership(path: string): Ownership {
  if (owned.has(path)) throw taken(path, process.pid);
  const alive = openAlive(path);
  // It shows that this process is alive, as long as it is referred to.
  const reader = alive.useReadTransaction();
  owned.add(path);
  return {
    claim({ root, meta }) {
      const owner = root.transactionSync(() => claim(meta, alive));
      if (owner !== process.pid) throw taken(path, owner);
    },
    async release() {
      reader.done();
      await alive.close();
      owned.delete(path);
    },
  };
}

/** The process that owns the spool: this one if no other does; runs while no other process can. */
function claim(meta: LmdbSpool['meta'], alive: RootDatabase): number {
  alive.readerCheck();
  const owner = Number(meta.getBinary('owner') ?? 0);
  if (owner !== process.pid && readersOf(alive).includes(owner)) return owner;
  void meta.put('owner', Buffer.from(String(process.pid)));
  return process.pid;
}

/** Process numbers of the readers, from the first column of a table with a head. */
function readersOf(alive: RootDatabase): number[] {
  return alive
    .readerList()
    .split('\n')
    .map((line) => Number.parseInt(line, 10));
}

function openAlive(path: string): RootDatabase {
  const directory = join(path, 'owner');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkEnvironment(directory, { readOnly: false });
  const options = {
    path: directory,
    encoding: 'string',
    noSubdir: false,
    overlappingSync: false,
    permissionsMode: 0o600,
  } as const;
  try {
    return open(options);
  } catch (cause) {
    throw new Failure('storage', `The spool at ${path} cannot be locked: ${(cause as Error).message}`, cause);
  }
}

function taken(path: string, pid: number): Failure {
  return new Failure('storage', `The spool at ${path} is in use by process ${pid}: only one server may write it.`);
}
