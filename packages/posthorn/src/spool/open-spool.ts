import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { QueueStore } from '../queue/queue-store.ts';
import { createLmdbBackend } from './lmdb-backend.ts';
import { openTables } from './lmdb-tables.ts';
import { recover } from './recover.ts';
import { Room } from './room.ts';
import { openOwnership } from './spool-owner.ts';
import { type SpoolBounds, SpoolStore } from './spool-store.ts';

/** How to open a spool. */
export interface SpoolOptions extends SpoolBounds {
  /** The directory; made if it is not there. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The most that the messages may take, in octets; default: what the disk has. */
  readonly capacity?: number;
}

/**
 * Opens the spool for the one process that may write it. Drafts of an earlier run are swept, messages that it had in
 * hand are due at once. Rejects with Failure `storage`: not a spool, of an unknown format, or in use.
 */
export async function openSpool({ path, now, capacity, ...bounds }: SpoolOptions): Promise<QueueStore> {
  const place = makeDirectory(path);
  const ownership = openOwnership(place);
  let close = () => ownership.release();
  try {
    const spool = openTables(place);
    close = () => spool.root.close().finally(() => ownership.release());
    ownership.claim(spool);
    syncDirectories(place);
    const room = await Room.open(spool, place, capacity ?? Number.POSITIVE_INFINITY);
    const lmdb = createLmdbBackend(spool, room);
    close = () => lmdb.close().finally(() => ownership.release());
    const backend = { ...lmdb, close };
    await recover(backend);
    return new SpoolStore(backend, now, bounds);
  } catch (error) {
    await close();
    throw error;
  }
}

function makeDirectory(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return realpathSync(path);
  } catch (cause) {
    throw new Failure(
      'storage',
      `The directory ${path} of the spool cannot be made: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** Makes the names of the files durable, which to sync a file does not promise. */
function syncDirectories(path: string): void {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  for (const directory of [path, dirname(path)]) {
    const fd = openSync(directory, 'r');
    fsyncSync(fd);
    closeSync(fd);
  }
}
