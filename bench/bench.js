// The benchmark: `npm run bench`, or `node bench/bench.js --quick --only accept,relay,client,memory`. All servers run on
// this machine, one after the other in the same run, and docs/benchmarks.md tells how they compare.
import { chmod, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startHelper, stopAll } from './children.js';
import { measureClients } from './client-pool.js';
import { describeMachine } from './machine.js';
import { measureMemory } from './memory.js';
import { writeReport } from './report.js';
import { floor } from './servers/floor.js';
import { haraka } from './servers/haraka.js';
import { postfix, postfixOnHold } from './servers/postfix.js';
import { posthorn } from './servers/posthorn.js';
import { isSynced, proveSync } from './sync-proof.js';
import { direct, measureThroughput } from './throughput.js';

const parts = ['accept', 'relay', 'client', 'memory'];
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: parts.join(',') },
    servers: { type: 'string', default: 'postfix,haraka,posthorn,floor' },
    report: { type: 'string', default: 'docs/benchmarks.md' },
  },
});
const wanted = options.only.split(',');
const sessions = 50;
const rounds = 3;

/** Messages in a round by size of message: the slow servers get fewer, or their rounds would take minutes. */
const counts = new Map([
  [4096, { slow: 3000, fast: 20_000 }],
  [65_536, { slow: 1000, fast: 4000 }],
  [1_048_576, { slow: 200, fast: 300 }],
]);

const slowServers = new Set([postfix, postfixOnHold, haraka]);

function countFor(size) {
  const { slow, fast } = counts.get(size);
  const share = options.quick ? 0.1 : 1;
  return (server) => Math.ceil((slowServers.has(server) ? slow : fast) * share);
}

/** Milliseconds after which all ends, whatever hangs. */
const longest = 60 * 60_000;

// Who stops reading the progress does not stop the benchmark, which has to clean up behind itself.
process.stderr.on('error', () => {});

const say = (line) => process.stderr.write(`${line}\n`);

/** Those of the servers that are here, with their versions; a line for each that is not. */
async function findServers() {
  const found = [];
  for (const server of [postfix, haraka, posthorn, floor].filter(({ name }) =>
    options.servers.includes(name.toLowerCase()),
  )) {
    try {
      found.push({ server, version: await server.version() });
    } catch (error) {
      say(`${server.name} is left out: ${error.message}`);
    }
  }
  return found;
}

async function startSink() {
  const sink = startHelper('sink.js');
  return Object.assign(sink, { port: await sink.ask('listen') });
}

async function proveAll({ servers, sink, folder, log }) {
  const proofs = [];
  for (const server of servers) {
    const proof = await proveSync({
      server,
      sessions,
      counts: options.quick ? [50, 200] : [200, 2000],
      sinkPort: sink.port,
      folder,
      log,
    });
    say(`sync ${server.name}: ${isSynced(proof) ? 'every message' : 'NOT every message'} ${JSON.stringify(proof)}`);
    proofs.push(proof);
  }
  return proofs;
}

/** Throughput of those that prove that they sync; the others are named with the reason. */
async function measureServers({ servers, sink, folder, log }) {
  const proofs = await proveAll({ servers, sink, folder, log });
  const counted = servers.filter((_, index) => isSynced(proofs[index]));
  const common = (size) => ({ sessions, rounds, warmUp: 0.3, size, count: countFor(size), sink, folder, log, say });
  const sinkLimit = await measureThroughput({ ...common(4096), servers: [direct(sink)], mode: 'relay' });
  const throughput = [];
  for (const mode of ['accept', 'relay'].filter((part) => wanted.includes(part))) {
    const list = mode === 'accept' && counted.includes(postfix) ? [postfixOnHold, ...counted] : counted;
    for (const size of counts.keys()) {
      // The floor is held against what is promised, and that is for 4 KiB.
      const servers = size === 4096 ? list : list.filter((server) => server !== floor);
      throughput.push({ mode, size, results: await measureThroughput({ ...common(size), servers, mode }) });
    }
  }
  return { proofs, sinkLimit, throughput };
}

async function measureAll(environment) {
  const results = { throughput: [] };
  if (wanted.includes('accept') || wanted.includes('relay')) Object.assign(results, await measureServers(environment));
  if (wanted.includes('client')) {
    const counts = options.quick ? { posthorn: 3000, nodemailer: 1000 } : { posthorn: 30_000, nodemailer: 10_000 };
    results.client = await measureClients({ sink: environment.sink, rounds, counts, say });
  }
  if (wanted.includes('memory')) {
    results.memory = await measureMemory({ ...environment, isQuick: options.quick, say });
  }
  return results;
}

const folder = await mkdtemp(join(tmpdir(), 'posthorn-bench-'));
// Postfix's processes do not run as root and have to reach their queue.
await chmod(folder, 0o755);
const logFile = await open(join(folder, 'servers.log'), 'a');
setTimeout(() => process.exit(1), longest).unref();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => process.exit(1));
try {
  const machine = await describeMachine(folder);
  const found = await findServers();
  const versions = Object.fromEntries(found.map(({ server, version }) => [server.name, version]));
  const sink = await startSink();
  const results = await measureAll({ servers: found.map(({ server }) => server), sink, folder, log: logFile.fd });
  await writeReport({ file: options.report, machine, versions, options, ...results });
} finally {
  await stopAll();
  await logFile.close();
  await rm(folder, { recursive: true, force: true });
}
