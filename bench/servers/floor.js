// The floor of floor.js: what one Node process can do at most, with nothing of a mail server but its input and output.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProgram, stop } from '../children.js';
import { listening } from './listening.js';

const program = fileURLToPath(new URL('../floor.js', import.meta.url));

async function start({ folder, mode, sinkPort, log }) {
  const port = await freePort();
  const relay = mode === 'relay' ? [sinkPort] : [];
  const command = [process.execPath, program, port, join(folder, 'data'), ...relay].map(String);
  const pid = startProgram(command, { log, env: { NODE_ENV: 'production' } });
  await listening(port, pid);
  return { port, pid, stop: () => stop(pid) };
}

export const floor = { name: 'Floor', start, version: async () => `Node ${process.version}` };
