// Postfix as Debian ships it, in a folder of its own. Without limits on clients and with as many processes as sessions;
// what it keeps on disk and when it syncs is untouched. `accept` delivers to discard(8), as Posthorn does there; on hold,
// cleanup(8) puts every message aside: the least that Postfix can do with a message it accepted.
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, run, stop, track } from '../children.js';

const name = 'Postfix';

const services = (port) => `
127.0.0.1:${port} inet n - n - 200 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - 200 smtp
relay unix - - n - 200 smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
`;

function settings({ folder, mode, sinkPort }) {
  return {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    myhostname: 'postfix.bench.example',
    mydestination: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    relayhost: `[127.0.0.1]:${sinkPort}`,
    default_transport: mode === 'accept' ? 'discard' : 'smtp',
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    message_size_limit: '209715200',
    default_process_limit: '200',
    smtpd_client_connection_count_limit: '0',
    smtpd_client_restrictions: mode === 'hold' ? 'check_client_access static:HOLD' : '',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_peername_lookup: 'no',
    smtp_destination_concurrency_limit: '100',
    smtp_initial_destination_concurrency: '50',
    initial_destination_concurrency: '50',
    smtp_connection_cache_destinations: `[127.0.0.1]:${sinkPort}`,
    smtp_host_lookup: 'native',
    smtp_dns_support_level: 'disabled',
    in_flow_delay: '0s',
    qmgr_message_active_limit: '100000',
    qmgr_message_recipient_limit: '100000',
  };
}

async function masterPid(folder) {
  for (let tries = 0; tries < 200; tries += 1) {
    const pid = Number(await readFile(join(folder, 'queue/pid/master.pid'), 'latin1').catch(() => ''));
    if (pid > 0) return pid;
    await delay(50);
  }
  throw new Error('Postfix did not start');
}

/** Starts Postfix: it relays to the sink, with mode `accept` discards what it made durable, with `hold` keeps it. */
async function start({ folder, mode, sinkPort }) {
  const port = await freePort();
  const config = join(folder, 'config');
  await mkdir(config, { recursive: true });
  await mkdir(join(folder, 'queue'), { recursive: true });
  await mkdir(join(folder, 'data'), { recursive: true });
  const user = Number((await run(['id', '-u', 'postfix'])).trim());
  await chown(join(folder, 'data'), user, 0);
  const lines = Object.entries(settings({ folder, mode, sinkPort })).map(([key, value]) => `${key} = ${value}`);
  await writeFile(join(config, 'main.cf'), `${lines.join('\n')}\n`);
  await writeFile(join(config, 'master.cf'), services(port));
  await run(['postfix', '-c', config, 'start']);
  const pid = await masterPid(folder);
  track(pid);
  return { port, pid, stop: () => stop(pid) };
}

async function version() {
  const text = await run(['postconf', '-d', 'mail_version']);
  return text.split('=')[1].trim();
}

export const postfix = { name, start, version };

export const postfixOnHold = {
  name: 'Postfix, all on hold',
  start: (options) => start({ ...options, mode: 'hold' }),
  version,
};
