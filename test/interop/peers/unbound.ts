import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type Peer, program, startDaemon } from './peer.ts';

/** How unbound validates what an authoritative server of the loopback says. */
export interface UnboundOptions {
  /** `address:port` of the server, which has all names. */
  readonly server: string;
  /** Key tag, algorithm, type and digest of the key of the root, with commas between them. */
  readonly trustAnchor: string;
  /** Domains whose names are not signed. */
  readonly unsigned?: readonly string[];
  /** Domains whose signatures are false. */
  readonly bogus?: readonly string[];
  /** The loopback address where it is asked, on port 53. */
  readonly address: string;
}

/** Starts unbound, a resolver that says of its answers whether they are proven. */
export async function startUnbound(options: UnboundOptions): Promise<Peer & { readonly address: string }> {
  const { server, trustAnchor, unsigned = [], bogus = [], address } = options;
  const folder = newFolder('unbound');
  const file = join(folder, 'unbound.conf');
  writeFileSync(
    file,
    `server:
  interface: ${address}
  port: 53
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  module-config: "validator iterator"
  trust-anchor: ". DS ${trustAnchor.replaceAll(',', ' ')}"
${bogus.map((name) => `  trust-anchor: "${name}. DS ${trustAnchor.replaceAll(',', ' ')}"\n`).join('')}${unsigned
  .map((name) => `  domain-insecure: "${name}"\n`)
  .join('')}  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  do-ip6: no
stub-zone:
  name: "."
  stub-addr: ${server.replace(':', '@')}
remote-control:
  control-enable: no
`,
  );
  const peer = await startDaemon(program('unbound'), ['-d', '-c', file], { port: 53, folder, host: address });
  return { ...peer, address, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}
