import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { submissionSocketOf } from '../../src/cli/find-socket.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startAgent } from '../../src/mta/start-agent.ts';
import { configOf, mailIn, memoryLog } from '../mta/fixture.ts';

/** A server of this process that takes mail from users of this host; it ends with its test. */
export async function startLocalServer(change: Partial<ConfigInput> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'local-'));
  const config = configOf({
    hostname: 'mx.example.org',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['root', 'bob', 'eve'] } },
    ...change,
  });
  const socket = submissionSocketOf(config);
  const agent = await startAgent({ config, log: memoryLog(), submissionSocket: socket });
  onTestFinished(async () => {
    await agent.close({ grace: 0 });
    rmSync(folder, { recursive: true, force: true });
  });
  const [listener] = agent.listeners;
  return {
    agent,
    config,
    folder,
    socket,
    port: listener !== undefined && 'port' in listener ? listener.port : 0,
    mail: (box: string, count: number) => mailIn({ folder }, box, count),
  };
}
