import { open, stat, unlink } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** How long a lock is waited for, in milliseconds, and the clock that tells when one is left over. */
export interface LockPatience {
  readonly patience: number;
  readonly now: () => number;
}

const pause = 100;

/** Milliseconds after which a lock is left over from a crash: appending takes seconds. */
const staleAge = 10 * 60_000;

/** Does a task while the file `path.lock` says that it is ours; rejects with code `EBUSY` when it stays another's. */
export async function withDotlock<T>(path: string, how: LockPatience, task: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  for (let waited = 0; !(await takeLock(lock)); waited += pause) {
    if (waited >= how.patience) throw Object.assign(new Error('The mailbox is locked'), { code: 'EBUSY' });
    if (!(await removeStale(lock, how.now()))) await wait(pause);
  }
  try {
    return await task();
  } finally {
    await unlink(lock);
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the way may be free now. */
async function removeStale(lock: string, now: number): Promise<boolean> {
  const info = await stat(lock).catch(() => undefined);
  if (info === undefined) return true;
  if (now - info.mtimeMs < staleAge) return false;
  await unlink(lock).catch(() => undefined);
  return true;
}
