import { randomBytes } from 'node:crypto';
import { link, open, readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import { makeDirectory, syncDirectory, writePieces } from './durable-file.ts';
import { withLineFeeds } from './line-feeds.ts';
import { createLocalAgent, type Delivery } from './local-agent.ts';

const mostKnown = 10_000;
const staleAge = 36 * 60 * 60_000;
const mostTries = 3;

/** An agent for Maildirs: tmp, sync, link to new, sync; no locks, LF line ends (maildir of Daniel J. Bernstein). */
export function createMaildirAgent(now: () => number): DeliveryAgent {
  const known = new Set<string>();
  let count = 0;
  const nextName = () => {
    count += 1;
    return uniqueName(now(), count);
  };
  return createLocalAgent(async (delivery) => {
    await prepare(delivery.path, { known, now });
    await deposit(delivery, nextName);
  }, now);
}

const host = hostname().replace(/[/:]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
const run = randomBytes(4).toString('hex');

function uniqueName(now: number, count: number): string {
  const micros = String((now % 1000) * 1000).padStart(6, '0');
  return `${Math.floor(now / 1000)}.M${micros}P${process.pid}Q${count}R${run}.${host}`;
}

async function prepare(path: string, { known, now }: { known: Set<string>; now: () => number }): Promise<void> {
  if (known.has(path)) return;
  for (const part of ['tmp', 'cur', 'new']) await makeDirectory(join(path, part));
  await removeStale(join(path, 'tmp'), now());
  if (known.size >= mostKnown) known.clear();
  known.add(path);
}

/** Files that a delivery left behind long ago (a crash, a full disk). */
async function removeStale(path: string, now: number): Promise<void> {
  for (const name of await readdir(path)) {
    if (name.startsWith('.')) continue;
    const file = join(path, name);
    // Another delivery may have taken its file away meanwhile.
    const info = await stat(file).catch(() => undefined);
    if (info !== undefined && now - info.mtimeMs > staleAge) await unlink(file).catch(() => undefined);
  }
}

async function deposit({ path, text, signal }: Delivery, nextName: () => string): Promise<void> {
  const name = nextName();
  const temporary = join(path, 'tmp', name);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await writePieces(file, withLineFeeds(text));
      await file.sync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await linkToNew(path, temporary, nextName);
    await syncDirectory(join(path, 'new'));
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** `link` fails where `rename` would replace: an earlier message is never lost to a name that comes twice. */
async function linkToNew(path: string, temporary: string, nextName: () => string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await link(temporary, join(path, 'new', nextName()));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === mostTries) throw error;
    }
  }
}
