import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Config } from '../config/schema.ts';
import type { QueueControl } from '../control/queue-control.ts';
import { runningAgent } from './running-agent.ts';

/**
 * Runs something on the queue: of the running server if there is one, else on the spool itself, which is only read to
 * `look`. Throws Failure `storage` when there is no spool.
 */
export async function withQueue<Result>(
  config: Config,
  purpose: 'look' | 'change',
  run: (queue: QueueControl) => Promise<Result>,
): Promise<Result> {
  const client = await runningAgent(config);
  if (client !== undefined) return run(client.queue);
  // Opening would make one: an operator who mistakes the folder should be told instead.
  const path = join(config.dataDir, 'spool');
  if (!existsSync(path)) {
    throw new Failure(
      'storage',
      `There is no spool at ${path}. Name the configuration of the server, or start it first.`,
    );
  }
  const opened = await (purpose === 'look' ? openToLook(config) : openToChange(config));
  try {
    return await run(opened.queue);
  } finally {
    await opened.close();
  }
}

interface Opened {
  readonly queue: QueueControl;
  close(): Promise<void>;
}

async function openToLook({ dataDir }: Config): Promise<Opened> {
  const { openSpoolReadOnly } = await import('../spool/open-spool-read-only.ts');
  const spool = openSpoolReadOnly(join(dataDir, 'spool'));
  const act = () => Promise.reject(new Error('the spool is open for reading only'));
  return { queue: { list: spool.list, get: spool.get, act }, close: spool.close };
}

async function openToChange(config: Config): Promise<Opened> {
  const path = join(config.dataDir, 'spool');
  const { openSpool } = await import('../spool/open-spool.ts');
  const { controlOf } = await import('./control-of.ts');
  const store = await openSpool({ path, now: Date.now });
  return { queue: controlOf(config, { store, wake: () => {} }), close: () => store.close() };
}
