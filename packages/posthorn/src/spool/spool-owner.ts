import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { open, type RootDatabase } from 'lmdb';

/** Spools that this process owns: LMDB tells processes apart, not callers within one. */
const owned = new Set<string>();

/** The right to write a spool; LMDB gives it up for whoever dies, by the lock that each of its readers has on its file. */
export interface Ownership {
  release(): Promise<void>;
}

/**
 * Takes the spool for this process, in a small environment that only owners open: who is listed there as a reader is
 * alive, so that neither a killed process nor its number given to another one stands in the way. Throws Failure
 * `storage` when another one has it.
 */
export function takeOwnership(path: string): Ownership {
  if (owned.has(path)) throw taken(path, process.pid);
  const root = openRoot(path);
  try {
    // A reader that stays: it shows that this process is alive.
    root.get('owner');
    root.useReadTransaction();
    const owner = root.transactionSync(() => claim(root));
    if (owner !== process.pid) throw taken(path, owner);
  } catch (error) {
    void root.close();
    throw error;
  }
  owned.add(path);
  return {
    async release() {
      owned.delete(path);
      await root.close();
    },
  };
}

/** The process that owns the spool: this one if no other does; runs while no other process can. */
function claim(root: RootDatabase<string, string>): number {
  root.readerCheck();
  const owner = Number(root.get('owner') ?? 0);
  if (owner !== process.pid && readersOf(root).includes(owner)) return owner;
  void root.put('owner', String(process.pid));
  return process.pid;
}

/** Process numbers of the readers, from the first column of a table with a head. */
function readersOf(root: RootDatabase<string, string>): number[] {
  return root
    .readerList()
    .split('\n')
    .map((line) => Number.parseInt(line, 10));
}

function openRoot(path: string): RootDatabase<string, string> {
  const options = {
    path: join(path, 'owner'),
    encoding: 'string',
    noSubdir: false,
    overlappingSync: false,
    permissionsMode: 0o600,
  } as const;
  try {
    return open<string, string>(options);
  } catch (cause) {
    throw new Failure('storage', `The spool at ${path} cannot be locked: ${(cause as Error).message}`, cause);
  }
}

function taken(path: string, pid: number): Failure {
  return new Failure('storage', `The spool at ${path} is in use by process ${pid}: only one server may write it.`);
}
