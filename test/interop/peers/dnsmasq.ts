import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** Starts dnsmasq: it asks a name server of the loopback, and says of its answers whether their signatures are good. */
export async function startDnsmasq(server: string, trustAnchor: string): Promise<Peer & { readonly address: string }> {
  const [port, folder] = [await freePort(), newFolder('dnsmasq')];
  const args = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', `--pid-file=`];
  const place = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces'];
  const asked = [`--server=${server.replace(':', '#')}`, '--dnssec', `--trust-anchor=.,${trustAnchor}`];
  const peer = await startDaemon(program('dnsmasq'), [...args, ...place, ...asked], { port, folder });
  return { ...peer, address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}
