// The server under attack for a long time: good mail comes and goes as ever, memory stays flat, no message is lost.
// `node bench/soak.js [--seconds 1800] [--json]`; the exit code is 1 when mail was lost or the memory grew.
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, isAlive, startHelper, startProgram, stop, stopAll } from './children.js';
import { startSink } from './soak-hosts.js';
import { connectFrom, converse } from './soak-wire.js';
import { spread } from './statistics.js';

const program = fileURLToPath(new URL('../packages/posthorn/bin/posthorn.js', import.meta.url));
/** Senders of good mail: each sends so often that no bound on one address is met. */
const senders = ['192.0.2.10', '198.51.100.10', '203.0.113.10', '2001:db8:10::10'];
const pause = 200;
/** Part of the time in which there is no attack. */
const calmPart = 0.25;
/** What the memory may grow by under attack, in octets: all that hostile sessions may fill at once, and not a day's worth. */
const mostGrowth = 192 * 2 ** 20;

function configuration({ folder, port, sinkPort, hostilePort }) {
  const to = (target) => `smtp://127.0.0.1:${target}?tls=none`;
  return {
    hostname: 'mx.soak.example',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port, proxyProtocol: ['127.0.0.1'] }],
    limits: { connections: 1000, connectionsPerAddress: 20 },
    queue: { retry: ['5s'], lifetime: '1m', reportLifetime: '1m' },
    domains: { 'good.example': { relay: true }, 'hostile.example': { relay: true } },
    routes: [
      { domain: 'good.example', to: to(sinkPort) },
      { domain: '*', to: to(hostilePort) },
    ],
  };
}

/** Octets of memory of the process's own; without the pages of the spool that the kernel maps. */
async function memoryOf(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

class GoodMail {
  constructor(port) {
    this.port = port;
    this.isOver = false;
    this.next = 0;
    this.accepted = new Set();
    this.putOff = 0;
    this.latencies = { calm: [], attack: [] };
    this.phase = 'calm';
  }

  start() {
    this.running = senders.map((address) => this.#repeat(address));
  }

  async stop() {
    this.isOver = true;
    await Promise.all(this.running);
  }

  async #repeat(address) {
    for (; !this.isOver; await delay(pause)) await this.#send(address);
  }

  async #send(address) {
    const number = this.next++;
    const { phase } = this;
    const text = `Subject: soak\r\nX-Soak: ${number}\r\n\r\n${'Good mail.\r\n'.repeat(100)}.\r\n`;
    const mail = ['EHLO good.example\r\n', 'MAIL FROM:<ann@sender.example>\r\n', 'RCPT TO:<bob@good.example>\r\n'];
    const begun = performance.now();
    const codes = await converse(connectFrom(address, this.port), [...mail, 'DATA\r\n', text, 'QUIT\r\n']);
    if (codes[5] !== 250) this.putOff += 1;
    else {
      this.accepted.add(number);
      this.latencies[phase].push((performance.now() - begun) * 1000);
    }
  }
}

async function untilServing(port, pid) {
  for (const limit = Date.now() + 30_000; Date.now() < limit && isAlive(pid); await delay(50)) {
    const [greeting] = await converse(connectFrom('192.0.2.1', port), ['QUIT\r\n'], { patience: 1000 });
    if (greeting === 220) return;
  }
  throw new Error('the server did not start');
}

async function soak(seconds, folder) {
  const attackers = startHelper('soak-attacks.js');
  const sink = await startSink();
  const { hostile: hostilePort } = await attackers.ask('hosts');
  const port = await freePort();
  const file = join(folder, 'posthorn.json');
  await writeFile(file, JSON.stringify(configuration({ folder, port, sinkPort: sink.port, hostilePort })));
  const log = openSync(join(folder, 'log'), 'w');
  const pid = startProgram([process.execPath, program, 'serve', '--config', file], { log });
  await untilServing(port, pid);

  const good = new GoodMail(port);
  good.start();
  await delay(seconds * calmPart * 1000);
  const before = await memoryOf(pid);
  good.phase = 'attack';
  await attackers.ask('start', { port });
  const samples = [];
  for (const end = Date.now() + seconds * (1 - calmPart) * 1000; Date.now() < end && isAlive(pid); await delay(500)) {
    samples.push(await memoryOf(pid));
  }
  const attacks = await attackers.ask('stop');
  await good.stop();
  const missing = () => [...good.accepted].filter((number) => !sink.numbers.has(number));
  for (const end = Date.now() + 60_000; missing().length > 0 && Date.now() < end && isAlive(pid); ) await delay(200);
  const after = await memoryOf(pid);
  const survived = isAlive(pid);
  await Promise.all([stop(pid), attackers.stop()]);
  sink.close();
  const doubled = [...sink.numbers.values()].filter((count) => count > 1).length;
  return {
    seconds,
    survived,
    accepted: good.accepted.size,
    putOff: good.putOff,
    lost: missing().length,
    doubled,
    memory: { before, most: Math.max(before, ...samples), course: tenths(samples), after, mostGrowth },
    calm: spread(good.latencies.calm),
    attack: spread(good.latencies.attack),
    attacks,
  };
}

/** The highest values of ten equal parts of the time. */
function tenths(samples) {
  const size = Math.ceil(samples.length / 10);
  return Array.from({ length: 10 }, (_, part) => Math.max(0, ...samples.slice(part * size, (part + 1) * size)));
}

function format({ survived, accepted, putOff, lost, doubled, memory, calm, attack, attacks }) {
  const megabytes = (octets) => `${(octets / 1e6).toFixed(0)} MB`;
  const times = ({ p50, p99 }) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  return [
    `server       ${survived ? 'ran to the end' : 'DIED'}`,
    `good mail    ${accepted} accepted, ${putOff} put off, ${lost} lost, ${doubled} doubled`,
    `sessions     ${times(calm)} before, ${times(attack)} under attack: p99 ${(attack.p99 / calm.p99).toFixed(1)} times`,
    `memory       ${megabytes(memory.before)} before, ${megabytes(memory.most)} at most, ${megabytes(memory.after)} after`,
    `             at most by tenths of the attack: ${memory.course.map(megabytes).join(', ')}`,
    ...Object.entries(attacks).map(([name, count]) => `attacks      ${String(count).padStart(7)} ${name}`),
  ].join('\n');
}

const { values } = parseArgs({ options: { seconds: { type: 'string' }, json: { type: 'boolean' } } });
const seconds = Number(values.seconds ?? 1800);
if (!(seconds >= 4)) throw new Error('--seconds must be 4 or more');
const folder = await mkdtemp(join(tmpdir(), 'posthorn-soak-'));
try {
  const found = await soak(seconds, folder);
  console.log(values.json ? JSON.stringify(found) : format(found));
  const isFlat = found.memory.most - found.memory.before <= mostGrowth;
  if (!found.survived || found.lost > 0 || !isFlat) process.exitCode = 1;
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}
