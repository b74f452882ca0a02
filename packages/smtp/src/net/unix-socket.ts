import { unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';

/** Listens on a UNIX socket; one that a dead process left behind is taken over, one in use is not. */
export async function openUnixSocket(server: Server, path: string): Promise<void> {
  try {
    await listen(server, path);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE') || (await isAlive(path))) throw error;
    await unlink(path);
    await listen(server, path);
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    // Any other refusal, for want of rights for one, says nothing about the process behind it.
    socket.once('error', (error) => resolve(!hasCode(error, 'ECONNREFUSED')));
    socket.once('close', () => socket.destroy());
  }).then((alive) => alive as boolean);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
