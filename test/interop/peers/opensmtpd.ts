import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, newFolder, type Peer, program, startDaemon } from './peer.ts';

/** Starts OpenSMTPD: it relays all it takes to a loopback port. Its spool has a fixed place, so one runs at a time. */
export async function startOpenSmtpd({ relayTo }: { readonly relayTo: number }): Promise<Peer> {
  const folder = newFolder('opensmtpd');
  const port = await freePort();
  for (const path of ['/var/spool/smtpd', '/var/lib/opensmtpd/empty']) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o711);
  }
  rmSync('/var/run/smtpd.sock', { force: true });
  const config = join(folder, 'smtpd.conf');
  writeFileSync(
    config,
    `smtp max-message-size 200M
listen on 127.0.0.1 port ${port} hostname opensmtpd.example
action onward relay host smtp://127.0.0.1:${relayTo}
match from any for any action onward
`,
  );
  chmodSync(config, 0o600);
  return startDaemon(program('smtpd'), ['-d', '-f', config], { port, folder });
}
