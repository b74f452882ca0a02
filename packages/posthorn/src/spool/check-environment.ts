import { accessSync, closeSync, constants, existsSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';

/** Where the first page of a file of LMDB has its mark and its version, and what they are. */
const MARK_OFFSET = 24;
const MARK = Uint32Array.of(0xbeefc0de, 2);
/** Octets that a new environment takes at once. */
const FIRST_ROOM = 128 * 1024;

/**
 * Checks what LMDB is going to open, since it does not survive a failure there: the process would crash. Throws Failure
 * `storage`, or `full` when there is no room for a new one.
 */
export function checkEnvironment(directory: string, { readOnly }: { readOnly: boolean }): void {
  const file = join(directory, 'data.mdb');
  const lock = join(directory, 'lock.mdb');
  if (!existsSync(file)) {
    if (readOnly) throw new Failure('storage', `There is no spool at ${directory}`);
    probeRoom(directory);
    return;
  }
  try {
    checkHead(file, readOnly);
    // Not to be opened: to close it would give up the locks that this process may have on it.
    accessSync(existsSync(lock) ? lock : directory, constants.R_OK | constants.W_OK);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('storage', `The spool at ${directory} cannot be opened: ${(cause as Error).message}`, cause);
  }
}

function checkHead(file: string, readOnly: boolean): void {
  const head = Buffer.alloc(MARK_OFFSET + MARK.byteLength);
  const fd = openSync(file, readOnly ? 'r' : 'r+');
  try {
    const size = readSync(fd, head, 0, head.length, 0);
    const isNew = size === 0 && !readOnly;
    if (isNew || head.subarray(MARK_OFFSET).equals(new Uint8Array(MARK.buffer))) return;
  } finally {
    closeSync(fd);
  }
  throw new Failure('storage', `${file} is not the file of a spool`);
}

function probeRoom(directory: string): void {
  const probe = join(directory, 'room');
  try {
    writeFileSync(probe, Buffer.alloc(FIRST_ROOM));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : 'storage';
    throw new Failure(kind, `There cannot be a spool at ${directory}: ${message}`, cause);
  } finally {
    rmSync(probe, { force: true });
  }
}
