// Haraka from npm with no plugin but one that accepts every recipient and names the sink as next hop. It writes and
// syncs a file for each message. With `accept` it never learns the next hop: the file is written, delivery waits.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort, run, startProgram, stop } from '../children.js';
import { listening } from './listening.js';

const name = 'Haraka';
const wanted = '~3.3.1';
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'posthorn-bench', 'haraka');
const installed = join(cache, 'node_modules', 'Haraka');

/** Installs Haraka outside the project, once: 3.3 needs two of its dependencies at older versions on Node 20. */
async function install() {
  const manifest = JSON.stringify({
    private: true,
    dependencies: { Haraka: wanted },
    overrides: { libmime: '5.3.7', 'encoding-japanese': '2.4.0' },
  });
  await mkdir(cache, { recursive: true });
  const present = await readFile(join(cache, 'package.json'), 'utf8').catch(() => '');
  if (present === manifest && (await readVersion().catch(() => undefined))) return;
  await writeFile(join(cache, 'package.json'), manifest);
  await run(['npm', 'install', '--omit=optional', '--no-audit', '--no-fund'], { cwd: cache, seconds: 300 });
}

async function readVersion() {
  return JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')).version;
}

async function version() {
  await install();
  return readVersion();
}

/** Its own defaults, but for the size of a message: the file replaces all of them. */
const connection = `[headers]
max_lines=1000
max_received=100
[max]
bytes=209715200
mime_parts=1000
line_length=512
data_line_length=992
[message]
helo=Haraka is at your service.
close=closing connection. Have a jolly good day.
[uuid]
banner_chars=6
deny_chars=0
`;

const plugin = ({ mode, sinkPort }) => `
exports.register = function () {
  this.register_hook('rcpt', 'accept');
  this.register_hook('get_mx', 'sink');
};
exports.accept = (next, connection) => {
  connection.relaying = true;
  next(OK);
};
exports.sink = (next) => {
  if (${mode === 'relay'}) next(OK, { exchange: '127.0.0.1', port: ${sinkPort}, priority: 0 });
};
`;

/** Starts Haraka: it relays to the sink, or with mode `accept` keeps what it is sent. */
async function start({ folder, mode, sinkPort, log }) {
  const port = await freePort();
  const files = {
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    'config/plugins': 'bench\n',
    'config/log.ini': 'level=error\n',
    'config/me': 'haraka.bench.example\n',
    'config/host_list': '',
    'config/plugin_timeout': '0\n',
    'config/outbound.ini': `concurrency_max=100\nenable_tls=false\nlocal_mx_ok=true\n`,
    'config/connection.ini': connection,
    'plugins/bench.js': plugin({ mode, sinkPort }),
  };
  for (const sub of ['config', 'plugins', 'queue']) await mkdir(join(folder, sub), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  const pid = startProgram([process.execPath, join(installed, 'bin', 'haraka'), '-c', folder], { log });
  await listening(port, pid);
  return { port, pid, stop: () => stop(pid) };
}

/**
 * Haraka 3.3 refuses every command that comes in behind a text before it was answered, which RFC 2920 allows: it gets
 * each envelope, pipelined, after the reply to the text.
 */
export const haraka = { name, isPipelined: false, start, version };
