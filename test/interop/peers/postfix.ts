import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, newFolder, type Peer, program, untilListening } from './peer.ts';

const services = (port: number) => `
127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
pickup unix n - n 5 1 pickup
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`;

/** A Postfix of its own folder and port. */
export interface Postfix extends Peer {
  /** Queues a message for a recipient, as a local user would. */
  send(options: {
    readonly from: string;
    readonly to: readonly string[];
    readonly text: Buffer;
    readonly args?: readonly string[];
  }): void;
}

/** Starts Postfix: it relays all it takes to a loopback port. */
export async function startPostfix(options: {
  readonly relayTo: number;
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<Postfix> {
  const folder = newFolder('postfix');
  chmodSync(folder, 0o755);
  const port = await freePort();
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: tmpdir(),
    myhostname: 'postfix.example',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    relayhost: `[127.0.0.1]:${options.relayTo}`,
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    message_size_limit: '209715200',
    mailbox_size_limit: '0',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    maximal_backoff_time: '5s',
    minimal_backoff_time: '1s',
    queue_run_delay: '1s',
    ...options.settings,
  };
  const config = join(folder, 'config');
  for (const name of ['config', 'queue', 'data']) mkdirSync(join(folder, name));
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postfix']).toString());
  chownSync(join(folder, 'data'), id('-u'), id('-g'));
  writeFileSync(
    join(config, 'main.cf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  writeFileSync(join(config, 'master.cf'), services(port));
  const postfix = program('postfix');
  execFileSync(postfix, ['-c', config, 'start'], { stdio: 'ignore' });
  await untilListening(port);
  return {
    port,
    folder,
    send({ from, to, text, args = [] }) {
      execFileSync(program('sendmail'), ['-C', config, '-i', '-f', from, ...args, ...to], { input: text });
    },
    async [Symbol.asyncDispose]() {
      await stop(join(folder, 'queue/pid/master.pid'));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function stop(pidFile: string): Promise<void> {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'latin1')) : 0;
  if (pid === 0) return;
  for (let signal: NodeJS.Signals = 'SIGTERM', tries = 0; tries < 300; tries += 1) {
    if (tries === 200) signal = 'SIGKILL';
    try {
      process.kill(pid, tries === 0 || tries === 200 ? signal : 0);
    } catch {
      return;
    }
    await wait(30);
  }
}
