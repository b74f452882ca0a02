// The proof that a message was safe on disk when it was accepted: strace(1) watches the server, and between the end of
// each text and its 250 a sync has to begin and to come back from the kernel. A message without one is not counted.
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startHelper, startProgram, stop } from './children.js';

/** Seconds by which the two clocks may be read apart: `Date.now` counts milliseconds. */
const clockError = 0.001;
/** Milliseconds between the messages of the session alone: what a server syncs after its reply is not for the next. */
const pause = 30;
const calls = 'fdatasync,fsync,msync,sync_file_range,syncfs,sync';

/** The syncs of a trace that succeeded: wall-clock seconds of call and return, in the order of the calls. */
function readSyncs(trace) {
  const syncs = [];
  const begun = new Map();
  for (const line of trace.split('\n')) {
    const [, thread, time, rest] = /^\s*(\d+)\s+(\d+\.\d+) (.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const isResumed = rest.startsWith('<... ');
    const start = isResumed ? begun.get(thread) : Number(time);
    if (rest.endsWith('<unfinished ...>')) begun.set(thread, start);
    const [, taken] = / = 0 <(\d+\.\d+)>$/.exec(rest) ?? [];
    if (taken !== undefined && start !== undefined) syncs.push({ start, end: start + Number(taken) });
  }
  return syncs.sort((one, other) => one.start - other.start);
}

/** Whether a sync began and ended between two times: what it wrote had come in, and who sent it was not answered yet. */
function hasSync(syncs, { from, to }) {
  let low = 0;
  let high = syncs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (syncs[middle].start < from) low = middle + 1;
    else high = middle;
  }
  for (; low < syncs.length && syncs[low].start <= to; low += 1) if (syncs[low].end <= to) return true;
  return false;
}

async function attach({ pid, folder }) {
  const trace = join(folder, 'strace.out');
  const notes = join(folder, 'strace.log');
  const file = await open(notes, 'a');
  const tracer = startProgram(['strace', '-f', '-ttt', '-T', '-e', `trace=${calls}`, '-o', trace, '-p', String(pid)], {
    log: file.fd,
  });
  await file.close();
  for (let tries = 0; !(await readFile(notes, 'latin1')).includes('attached'); tries += 1) {
    if (tries === 100) throw new Error('strace did not attach');
    await delay(50);
  }
  return { trace, stop: () => stop(tracer) };
}

/** Sends messages to a traced server; when each of them was sent and accepted, in seconds of the time of day. */
async function load({ port, isPipelined, sessions, count, first, pause = 0 }) {
  const generator = startHelper('generator.js');
  try {
    await generator.ask('open', { sessions, port, size: 4096, isPipelined });
    const { sent, latencies } = await generator.ask('run', { first, count, pause, seconds: 120 });
    // The generator's clock is monotonic, that of the trace tells the time of day.
    const shift = Date.now() / 1e3 - process.hrtime().reduce((seconds, nanoseconds) => seconds + nanoseconds / 1e9);
    return Array.from(sent, (time, index) => ({
      from: time / 1e6 + shift - clockError,
      to: (time + latencies[index]) / 1e6 + shift + clockError,
    }));
  } finally {
    await generator.stop();
  }
}

/** How many of the messages had a sync while the server had them, and how many syncs there were meanwhile. */
function judge(messages, syncs) {
  const start = Math.min(...messages.map(({ from }) => from));
  const end = Math.max(...messages.map(({ to }) => to));
  return {
    messages: messages.length,
    synced: messages.filter((message) => hasSync(syncs, message)).length,
    syncs: syncs.filter((sync) => sync.start >= start && sync.end <= end).length,
  };
}

/** Watches one server with one session, message after message, then with all `sessions`. */
export async function proveSync({ server, sessions, counts, sinkPort, folder, log }) {
  const place = join(folder, `sync-${server.name.toLowerCase()}`);
  await mkdir(place, { recursive: true });
  let running;
  try {
    running = await server.start({ folder: place, mode: 'accept', sinkPort, log });
    const tracer = await attach({ pid: running.pid, folder: place });
    const to = { port: running.port, isPipelined: server.isPipelined };
    const alone = await load({ ...to, sessions: 1, count: counts[0], first: 1, pause });
    const many = await load({ ...to, sessions, count: counts[1], first: 1 + counts[0] });
    await tracer.stop();
    const syncs = readSyncs(await readFile(tracer.trace, 'latin1'));
    return { name: server.name, alone: judge(alone, syncs), many: judge(many, syncs) };
  } catch (error) {
    return { name: server.name, failure: error.message };
  } finally {
    await running?.stop();
  }
}

/** Whether every message of a proof was synced before it was accepted. */
export function isSynced({ alone, many, failure }) {
  return failure === undefined && alone.synced === alone.messages && many.synced === many.messages;
}
