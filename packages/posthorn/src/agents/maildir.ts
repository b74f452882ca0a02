import { link, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import { makeDirectory, syncDirectory, writePieces } from './durable-file.ts';
import { createLocalAgent, type Delivery } from './local-agent.ts';
import { MailboxUsage } from './mailbox-usage.ts';
import { nextMaildirName } from './maildir-name.ts';

/** Milliseconds after which a file in tmp belongs to nobody any more, and between two looks for such files. */
const staleAge = 36 * 3_600_000;
const sweepInterval = 3_600_000;

/** Maildirs whose last sweep is remembered. */
const mostKnown = 10_000;

/** Names that are tried when one is taken. */
const mostNames = 5;

/** An agent for Maildirs: written to tmp, synced, linked to new, synced; no locks, LF line ends: maildir(5). */
export function createMaildirAgent(now: () => number, usage = new MailboxUsage(now)): DeliveryAgent {
  const swept = new Map<string, number>();
  const depositAndSweep = async (delivery: Delivery) => {
    await deposit(delivery, now).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      for (const part of ['tmp', 'cur', 'new']) await makeDirectory(join(delivery.path, part));
      await deposit(delivery, now);
    });
    const time = now();
    if (time - (swept.get(delivery.path) ?? Number.NEGATIVE_INFINITY) < sweepInterval) return;
    if (swept.size >= mostKnown) swept.clear();
    swept.set(delivery.path, time);
    await removeStale(join(delivery.path, 'tmp'), time);
  };
  return createLocalAgent(depositAndSweep, { now, usage });
}

async function deposit({ path, text }: Delivery, now: () => number): Promise<void> {
  const temporary = join(path, 'tmp', nextMaildirName(now()));
  const file = await open(temporary, 'wx', 0o600);
  try {
    let octets: number;
    try {
      octets = await writePieces(file, text());
      await file.sync();
    } finally {
      await file.close();
    }
    await linkToNew(temporary, join(path, 'new'), () => `${nextMaildirName(now())},S=${octets}`);
    await syncDirectory(join(path, 'new'));
  } finally {
    // What cannot be removed now is stale one day.
    await unlink(temporary).catch(() => undefined);
  }
}

/**
 * `link` fails where `rename` would replace: an earlier message is never lost to a name that comes twice. The name tells
 * the size, so that a quota costs one look at the folder (Maildir++).
 */
async function linkToNew(temporary: string, folder: string, nextName: () => string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await link(temporary, join(folder, nextName()));
    } catch (error) {
      // Deviates: no pause of two seconds before the next try, since the next name differs at once: maildir(5).
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === mostNames) throw error;
    }
  }
}

/** Removes what deliveries left behind long ago: a crash, a full disk. Their trouble is none of today's message. */
async function removeStale(path: string, now: number): Promise<void> {
  for (const name of await readdir(path).catch(() => [])) {
    if (name.startsWith('.')) continue;
    const file = join(path, name);
    const info = await stat(file).catch(() => undefined);
    if (info?.isFile() && now - info.mtimeMs > staleAge) await unlink(file).catch(() => undefined);
  }
}
