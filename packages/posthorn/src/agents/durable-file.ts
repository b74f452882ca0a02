import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

interface Syncing {
  readonly running: Promise<void>;
  next?: Promise<void>;
}

const syncing = new Map<string, Syncing>();

/** Makes the entries of a directory durable; calls that come while one sync runs share the next one. */
export function syncDirectory(path: string): Promise<void> {
  const entry = syncing.get(path);
  if (entry === undefined) return startSync(path);
  // The one that runs may have begun before the caller's change.
  const start = () => startSync(path);
  entry.next ??= entry.running.then(start, start);
  return entry.next;
}

function startSync(path: string): Promise<void> {
  const entry: Syncing = {
    running: syncNow(path).finally(() => {
      if (entry.next === undefined) syncing.delete(path);
    }),
  };
  syncing.set(path, entry);
  return entry.running;
}

async function syncNow(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory and what is missing above it, all of it durable; only the owner may look into it. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

/** Writes pieces one after the other to an open file, each to its end; gives the octets in all. */
export async function writePieces(file: FileHandle, pieces: AsyncIterable<Buffer>): Promise<number> {
  let octets = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
    octets += piece.length;
  }
  return octets;
}

/** Puts a file in the place of one that may be there: whatever happens, one of the two is there as a whole. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp~`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncDirectory(dirname(path));
}
