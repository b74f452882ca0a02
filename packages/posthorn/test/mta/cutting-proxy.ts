import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a host, and cuts connections. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Octets that clients sent, by connection. */
  readonly sent: readonly number[];
}

/**
 * Starts a proxy that cuts the first connections after so many octets of their clients, and passes all others through.
 * `halves`: the host learns nothing of a cut; `stalls`: the client does not either, and nothing more comes through.
 */
export async function startCuttingProxy(
  port: number,
  {
    cuts,
    halves = false,
    stalls = false,
  }: {
    readonly cuts: readonly number[];
    readonly halves?: boolean;
    readonly stalls?: boolean;
  },
): Promise<CuttingProxy> {
  const sent: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const at = sent.push(0) - 1;
    const most = cuts[at] ?? Number.POSITIVE_INFINITY;
    const host = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, host]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    let isCut = false;
    client.on('data', (piece: Buffer) => {
      if (isCut) return;
      const passed = piece.subarray(0, most - (sent[at] as number));
      sent[at] = (sent[at] as number) + passed.length;
      isCut = sent[at] === most;
      const isRoomy = host.write(passed);
      if (isCut) {
        if (stalls) client.pause();
        else client.destroy();
        if (!halves && !stalls) host.end();
      } else if (!isRoomy) {
        client.pause();
        host.once('drain', () => client.resume());
      }
    });
    client.on('end', () => host.end());
    host.on('data', (piece) => client.destroyed || client.write(piece));
    host.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sent,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
