import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../children.js';

/** Waits until a server greets on `port`; fails when its process ends or after 30 seconds. */
export async function listening(port, pid) {
  const limit = Date.now() + 30_000;
  while (Date.now() < limit && isAlive(pid)) {
    if (await greets(port)) return;
    await delay(20);
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function greets(port) {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
    return bytes.latin1Slice(0, 3) === '220';
  } catch {
    return false;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
