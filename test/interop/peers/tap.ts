import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a host, and hears what they say in clear text. */
export interface Tap extends AsyncDisposable {
  readonly port: number;
  /** All that clients sent, one character for each octet. */
  said(): string;
}

/** Starts one before a loopback port. */
export async function startTap(port: number): Promise<Tap> {
  const pieces: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const host = connect({ port, host: '127.0.0.1' });
    for (const socket of [client, host]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    client.on('data', (piece) => pieces.push(Buffer.from(piece)));
    client.pipe(host).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    said: () => Buffer.concat(pieces).toString('latin1'),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
