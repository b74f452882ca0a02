import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import { makeDirectory, syncDirectory, writePieces } from './durable-file.ts';
import { withLineFeeds } from './line-feeds.ts';
import { createLocalAgent, type Delivery } from './local-agent.ts';
import { quoteFromLines } from './quote-from-lines.ts';

// Deviates: no fcntl lock beside the dotlock, since Node has no call for it; readers that lock by fcntl alone must be set
// to dotlocks as well (RFC 4155 §A names neither).
const lockTries = 50;
const lockPause = 100;
const staleLock = 10 * 60_000;

/** An agent for mbox files, quoted as mboxrd, under a dotlock; a failed append is cut off again (RFC 4155 §A). */
export function createMboxAgent(now: () => number): DeliveryAgent {
  return createLocalAgent(async (delivery) => {
    await makeDirectory(dirname(delivery.path));
    const lock = `${delivery.path}.lock`;
    await takeLock(lock, delivery.signal);
    try {
      await append(delivery);
    } finally {
      await unlink(lock);
    }
  }, now);
}

async function takeLock(lock: string, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const file = await open(lock, 'wx', 0o600);
      return await file.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (tries === lockTries) throw Object.assign(new Error('The mailbox is locked'), { code: 'EBUSY' });
    }
    await removeStaleLock(lock);
    await wait(lockPause, undefined, { signal });
  }
}

/** A lock that nobody touched for ten minutes is left over from a crash: appending takes seconds. */
async function removeStaleLock(lock: string): Promise<void> {
  const info = await stat(lock).catch(() => undefined);
  if (info !== undefined && Date.now() - info.mtimeMs > staleLock) await unlink(lock).catch(() => undefined);
}

async function append(delivery: Delivery): Promise<void> {
  const file = await open(delivery.path, 'a', 0o600);
  try {
    const { size } = await file.stat();
    await appendOrTruncate(file, size, delivery);
    if (size === 0) await syncDirectory(dirname(delivery.path));
  } finally {
    await file.close();
  }
}

async function appendOrTruncate(file: FileHandle, size: number, delivery: Delivery): Promise<void> {
  try {
    await writePieces(file, entry(delivery));
    delivery.signal.throwIfAborted();
    await file.sync();
  } catch (error) {
    await file.truncate(size);
    throw error;
  }
}

async function* entry({ text, reversePath, receivedAt }: Delivery): AsyncGenerator<Buffer, void, undefined> {
  const sender = reversePath === '' ? 'MAILER-DAEMON' : reversePath.replace(/[ \t]/g, '-');
  yield Buffer.from(`From ${sender} ${formatCtime(receivedAt)}\n`);
  let last = 0x0a;
  for await (const piece of quoteFromLines(withLineFeeds(text))) {
    last = piece[piece.length - 1] ?? last;
    yield piece;
  }
  yield Buffer.from(last === 0x0a ? '\n' : '\n\n');
}

/** `Sat Nov 21 10:00:00 2026`, in UTC (RFC 4155 §A). */
function formatCtime(time: number): string {
  const [weekday = '', day = '', month = '', year = '', clock = ''] = new Date(time)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2, ' ')} ${clock} ${year}`;
}
