import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, newFolder, type Peer, program, untilListening } from './peer.ts';

const services = (address: string) => `
${address} inet n - n - - smtpd
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
virtual unix - n n - - virtual
flush unix n - n 1000? 0 flush
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
  /** The messages in a mailbox of its own. */
  mailbox(address: string): Buffer[];
  /** What it wrote to its log. */
  log(): string;
}

/** How Postfix runs. */
export interface PostfixOptions {
  /** The loopback port that takes all that it has no other way for. */
  readonly relayTo?: number;
  /** Where it listens: on a free port of 127.0.0.1 by default. */
  readonly place?: { readonly host: string; readonly port: number };
  /** Addresses that have a mailbox in it; others of their domains are unknown. */
  readonly mailboxes?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** The name server that it asks, on port 53; by default it asks none. */
  readonly nameServer?: string;
}

/** What gives it mailboxes, below a folder. */
function mailboxSettings(folder: string, addresses: readonly string[]): Record<string, string> {
  if (addresses.length === 0) return {};
  mkdirSync(join(folder, 'mail'));
  chmodSync(join(folder, 'mail'), 0o777);
  return {
    virtual_mailbox_domains: [...new Set(addresses.map((address) => address.split('@')[1]))].join(' '),
    virtual_mailbox_base: join(folder, 'mail'),
    virtual_mailbox_maps: `inline:{ ${addresses.map((address) => `{${address} = ${address}/}`).join(' ')} }`,
    virtual_uid_maps: 'static:65534',
    virtual_gid_maps: 'static:65534',
    virtual_minimum_uid: '1',
  };
}

/** Starts Postfix: it takes all mail, and relays what is not for a mailbox of its own. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const folder = newFolder('postfix');
  chmodSync(folder, 0o755);
  const { relayTo, place = { host: '127.0.0.1', port: await freePort() }, mailboxes = [] } = options;
  const { host, port } = place;
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
    relayhost: relayTo === undefined ? '' : `[127.0.0.1]:${relayTo}`,
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    message_size_limit: '209715200',
    mailbox_size_limit: '0',
    virtual_mailbox_limit: '0',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    maximal_backoff_time: '5s',
    minimal_backoff_time: '1s',
    queue_run_delay: '1s',
    ...mailboxSettings(folder, mailboxes),
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
  writeFileSync(join(config, 'master.cf'), services(`${host}:${port}`));
  const postfix = program('postfix');
  startAsking(options.nameServer, folder, [postfix, '-c', config, 'start']);
  await untilListening(port, { host });
  return {
    port,
    folder,
    send({ from, to, text, args = [] }) {
      execFileSync(program('sendmail'), ['-C', config, '-i', '-f', from, ...args, ...to], { input: text });
    },
    mailbox(address) {
      const path = join(folder, 'mail', address, 'new');
      return existsSync(path) ? readdirSync(path).map((name) => readFileSync(join(path, name))) : [];
    },
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await stop(join(folder, 'queue/pid/master.pid'));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a command that sees another resolv.conf than the rest of the machine does, if it is to. */
function startAsking(nameServer: string | undefined, folder: string, command: readonly [string, ...string[]]): void {
  if (nameServer === undefined) {
    execFileSync(command[0], command.slice(1), { stdio: 'ignore' });
    return;
  }
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${nameServer}\noptions trust-ad\n`);
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  execFileSync(program('unshare'), ['--mount', 'sh', '-c', script, file, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
