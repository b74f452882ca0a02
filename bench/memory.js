// Resident memory of Posthorn under what servers are brought down with: many idle sessions, one great message, a long
// queue; and how long it takes to be back behind that queue.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { startHelper } from './children.js';
import { posthorn } from './servers/posthorn.js';

/** Kilobytes (1000 octets) of a field of /proc/PID/status. */
async function memoryOf(pid, field) {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024) / 1000;
}

/**
 * Memory of the process's own, and all that is resident: with the pages of the spool that are mapped, which the kernel
 * takes back when it needs them.
 */
async function readMemory(pid) {
  return { own: await memoryOf(pid, 'RssAnon'), all: await memoryOf(pid, 'VmRSS') };
}

/** Memory once it changes no more by a percent within a second, or after twenty. */
async function settledMemory(pid) {
  let before = await readMemory(pid);
  for (let tries = 0; tries < 20; tries += 1) {
    await delay(1000);
    const after = await readMemory(pid);
    if (Math.abs(after.all - before.all) < before.all / 100) return after;
    before = after;
  }
  return before;
}

/** The most own memory that a process has while `work` is under way, looked at every few milliseconds. */
async function peakWhile(pid, work) {
  let peak = 0;
  let isOver = false;
  const watch = async () => {
    for (; !isOver; await delay(5)) peak = Math.max(peak, await memoryOf(pid, 'RssAnon'));
  };
  const watching = watch();
  await work.finally(() => {
    isOver = true;
  });
  await watching;
  return peak;
}

/** Sends messages and waits for the last 250. */
async function sendMessages({ port, sessions, count, size, seconds = 300 }) {
  const generator = startHelper('generator.js');
  try {
    await generator.ask('open', { sessions, port, size });
    await generator.ask('run', { first: 1, count, seconds });
  } finally {
    await generator.stop();
  }
}

const warmUp = 5000;

async function startWarm(options) {
  await mkdir(options.folder, { recursive: true });
  const running = await posthorn.start(options);
  // What the first messages make Node allocate and compile is not what a session or a message costs.
  await sendMessages({ port: running.port, sessions: 50, count: warmUp, size: 4096 });
  return running;
}

/** Sessions of each helper, from a source address of its own. */
const sessionsEach = 2500;
const warmUpSessions = 200;

/** On a server that has had sessions but no mail: what mail leaves to the garbage collector would hide their cost. */
async function idleSessions({ options, count }) {
  await mkdir(options.folder, { recursive: true });
  const running = await posthorn.start(options);
  const { port, pid } = running;
  const helpers = [];
  const openMore = async (more) => {
    const helper = startHelper('idle.js');
    helpers.push(helper);
    await helper.ask('open', { port, count: more, localAddress: `127.0.1.${helpers.length}` });
    return helper;
  };
  try {
    await (await openMore(warmUpSessions)).ask('close');
    const before = await settledMemory(pid);
    for (let left = count; left > 0; left -= sessionsEach) await openMore(Math.min(left, sessionsEach));
    const after = await settledMemory(pid);
    let open = 0;
    for (const helper of helpers) open += await helper.ask('count');
    if (open !== count) throw new Error(`only ${open} of ${count} sessions stayed open`);
    return { value: (after.all - before.all) / count };
  } finally {
    for (const helper of helpers) await helper.stop();
    await running.stop();
  }
}

async function greatMessage({ options, size }) {
  const running = await startWarm(options);
  try {
    const { port, pid } = running;
    const before = await settledMemory(pid);
    // Sets the peak back to what is resident now (proc(5), clear_refs).
    await writeFile(`/proc/${pid}/clear_refs`, '5');
    const peak = await peakWhile(pid, sendMessages({ port, sessions: 1, count: 1, size }));
    return { value: (peak - before.own) / 1000, mapped: ((await memoryOf(pid, 'VmHWM')) - before.all) / 1000 };
  } finally {
    await running.stop();
  }
}

/** Whether a whole message is accepted. */
function acceptsMessage(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const replies = [];
    const finish = (isAccepted) => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.write(
      'EHLO probe.bench.example\r\nMAIL FROM:<probe@bench.example>\r\nRCPT TO:<probe@bench.example>\r\nDATA\r\n',
    );
    socket.on('data', (bytes) => {
      for (const [, code] of bytes.latin1Slice().matchAll(/^(\d{3}) .*\r$/gm)) replies.push(code);
      if (replies.at(-1) === '354') socket.write('Subject: Are you there?\r\n\r\nYes.\r\n.\r\n');
      if (replies.length === 6) finish(replies.join(' ') === '220 250 250 250 354 250');
    });
  });
}

/** Waits until the sink has deferred `count` recipients, or none came for ten seconds. */
async function awaitDeferred({ sink, count }) {
  let before = -1;
  for (let now = 0; now < count && now !== before; now = await sink.ask('deferred')) {
    before = now;
    await delay(10_000);
  }
}

async function longQueue({ options, sink, count }) {
  await sink.ask('defer', { on: true });
  const running = await startWarm(options);
  let again;
  try {
    const before = await settledMemory(running.pid);
    await sendMessages({ port: running.port, sessions: 50, count, size: 4096 });
    await awaitDeferred({ sink, count: count + warmUp });
    const after = await settledMemory(running.pid);
    const added = { value: (after.own - before.own) / 1000, mapped: (after.all - before.all) / 1000 };
    await running.stop();
    const start = performance.now();
    again = await posthorn.start(options);
    while (!(await acceptsMessage(again.port))) {
      if (performance.now() - start > 60_000) throw new Error('no message was accepted a minute after the start');
      await delay(10);
    }
    return { added, restart: (performance.now() - start) / 1000 };
  } finally {
    await running.stop();
    await again?.stop();
    await sink.ask('defer', { on: false });
  }
}

/** A line of the report; a measurement that fails is a line as well. */
async function judge(line, measure) {
  try {
    const measured = await measure();
    return { ...line, ...measured, isMet: measured.value <= line.goal };
  } catch (error) {
    return { ...line, failure: error.message };
  }
}

/** Measures all of it; one line of the report each. */
export async function measureMemory({ sink, folder, log, isQuick, say }) {
  const sizes = isQuick
    ? { sessions: 1000, megabytes: 20, queue: 5000 }
    : { sessions: 10_000, megabytes: 100, queue: 100_000 };
  const options = (name, mode) => ({ folder: join(folder, name), mode, sinkPort: sink.port, log });
  const lines = [];
  const add = (line) => {
    lines.push(line);
    say(`memory: ${line.what}: ${line.failure ?? `${line.value.toFixed(2)} ${line.unit}`}`);
  };
  const idle = { what: `${sizes.sessions} idle sessions, each`, goal: 10, unit: 'kB' };
  add(await judge(idle, () => idleSessions({ options: options('memory-idle', 'accept'), count: sizes.sessions })));
  const great = { what: `added by one message of ${sizes.megabytes} MB`, goal: 64, unit: 'MB' };
  add(
    await judge(great, () => greatMessage({ options: options('memory-great', 'relay'), size: sizes.megabytes * 1e6 })),
  );
  let queue;
  const long = { what: `added by ${sizes.queue} deferred messages`, goal: 50, unit: 'MB' };
  add(
    await judge(long, async () => {
      queue = await longQueue({ options: options('memory-queue', 'relay'), sink, count: sizes.queue });
      return queue.added;
    }),
  );
  const restart = { what: `from start to the first accepted message over ${sizes.queue} deferred`, goal: 2, unit: 's' };
  add(
    await judge(restart, async () => {
      if (queue === undefined) throw new Error('there was no queue to start over');
      return { value: queue.restart };
    }),
  );
  return lines;
}
