import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import { Batches, type BatchResult } from './batches.ts';
import { withDotlock } from './dotlock.ts';
import { makeDirectory, syncDirectory, writePieces } from './durable-file.ts';
import { createLocalAgent, type Delivery } from './local-agent.ts';
import { MailboxUsage } from './mailbox-usage.ts';
import { formatFromLine } from './mbox-from-line.ts';
import { quoteFromLines } from './quote-from-lines.ts';

/** How an agent for mbox files works. */
export interface MboxOptions {
  /** Milliseconds that another program's lock is waited for, 5,000 by default. */
  readonly patience?: number;
  readonly usage?: MailboxUsage;
}

/** An agent for mbox files, quoted as mboxrd, under a dotlock; a failed append is cut off again (RFC 4155 §A). */
export function createMboxAgent(now: () => number, options: MboxOptions = {}): DeliveryAgent {
  const { patience = 5_000, usage = new MailboxUsage(now) } = options;
  // Deviates: no fcntl lock beside the dotlock, since Node has no call for it; readers that lock by fcntl alone must be set
  // to dotlocks as well. The description of the format asks for neither (RFC 4155 §A).
  const batches = new Batches<Delivery>(async (path, deliveries) => {
    await makeDirectory(dirname(path));
    return withDotlock(path, { patience, now }, () => appendAll(path, deliveries));
  });
  return createLocalAgent((delivery) => batches.add(delivery.path, delivery), { now, usage });
}

/** Appends one after the other and syncs once for all: the lock is held no longer than needed. */
async function appendAll(path: string, deliveries: readonly Delivery[]): Promise<BatchResult> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    const failures: unknown[] = [];
    for (const delivery of deliveries) failures.push(await appendOrTruncate(file, delivery));
    await file.sync().catch(async (error: unknown) => {
      await file.truncate(size);
      throw error;
    });
    if (size === 0) await syncDirectory(dirname(path));
    return failures;
  } finally {
    await file.close();
  }
}

/** Why it failed, if it did; the file is then as it was. */
async function appendOrTruncate(file: FileHandle, delivery: Delivery): Promise<unknown> {
  const { size } = await file.stat();
  try {
    await writePieces(file, entry(delivery, await missingLineEnds(file, size)));
    return undefined;
  } catch (error) {
    await file.truncate(size);
    return error;
  }
}

/** What is missing of the empty line before the next message: whatever happened to the last one, it must not swallow this one. */
async function missingLineEnds(file: FileHandle, size: number): Promise<string> {
  if (size === 0) return '';
  const length = Math.min(size, 2);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  if (buffer[length - 1] !== 0x0a) return '\n\n';
  return buffer[0] === 0x0a && length === 2 ? '' : '\n';
}

async function* entry(
  { text, reversePath, receivedAt }: Delivery,
  before: string,
): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from(`${before}${formatFromLine(reversePath, receivedAt)}`);
  let last = 0x0a;
  for await (const piece of quoteFromLines(text())) {
    last = piece[piece.length - 1] ?? last;
    yield piece;
  }
  yield Buffer.from(last === 0x0a ? '\n' : '\n\n');
}
