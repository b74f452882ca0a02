// Posthorn as it is built, in one process. `accept` delivers to `discard:`, so that a message is made durable, taken up,
// delivered to nobody and removed again: more than the others do for it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProgram, stop } from '../children.js';
import { listening } from './listening.js';

const name = 'Posthorn';
const root = fileURLToPath(new URL('../../packages/posthorn/', import.meta.url));

function configuration({ folder, mode, sinkPort, port }) {
  return {
    hostname: 'posthorn.bench.example',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port }],
    relayFrom: ['127.0.0.0/8'],
    limits: { connections: 12_000, connectionsPerAddress: 12_000, messageSize: 209_715_200 },
    domains: mode === 'accept' ? { 'bench.example': { deliver: 'discard:', mailboxes: ['recipient'] } } : {},
    routes: [{ domain: '*', to: `smtp://127.0.0.1:${sinkPort}` }],
  };
}

/** Starts Posthorn: it relays to the sink, or with mode `accept` discards what it made durable. */
async function start({ folder, mode, sinkPort, log, nodeOptions = [] }) {
  const port = await freePort();
  const config = join(folder, 'posthorn.json');
  await writeFile(config, JSON.stringify(configuration({ folder, mode, sinkPort, port }), undefined, 2));
  const serve = [...nodeOptions, join(root, 'bin', 'posthorn.js'), 'serve', '--config', config];
  const pid = startProgram([process.execPath, ...serve], { log, env: { NODE_ENV: 'production' } });
  await listening(port, pid);
  return { port, pid, stop: () => stop(pid) };
}

async function version() {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version;
}

export const posthorn = { name, start, version };
