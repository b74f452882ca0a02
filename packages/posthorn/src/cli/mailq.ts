import { meantConfig } from './find-socket.ts';
import { withQueue } from './open-queue.ts';
import { formatList } from './queue-format.ts';
import type { Terminal } from './terminal.ts';

/** `mailq`: lists what waits. */
export async function listQueue(file: string | undefined, terminal: Terminal): Promise<void> {
  const config = await meantConfig(file, terminal);
  await withQueue(config, 'look', async (queue) => {
    for await (const piece of formatList(queue.list({ limit: Number.MAX_SAFE_INTEGER }), Date.now()))
      terminal.out(piece);
  });
}

/** `sendmail -q`: tries at once what waits and is not on hold. */
export async function runQueue(file: string | undefined, terminal: Terminal): Promise<void> {
  const config = await meantConfig(file, terminal);
  await withQueue(config, 'change', async (queue) => {
    for await (const { envelope, state } of queue.list({ held: false, limit: Number.MAX_SAFE_INTEGER })) {
      if (!state.held) await queue.act(envelope.id, 'retry');
    }
  });
}
