// Every process the benchmark starts is on one list, and ends with it: by its id, whatever happened.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const running = new Set();

/** Remembers a process that has to end with the benchmark. */
export function track(pid) {
  running.add(pid);
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/** Asks a process to end and makes it end after ten seconds. */
export async function stop(pid) {
  signal(pid, 'SIGTERM');
  const limit = Date.now() + 10_000;
  while (isAlive(pid) && Date.now() < limit) await delay(20);
  signal(pid, 'SIGKILL');
  running.delete(pid);
}

export async function stopAll() {
  await Promise.all([...running].map(stop));
}

process.on('exit', () => {
  for (const pid of running) signal(pid, 'SIGKILL');
});

/** Starts one of the benchmark's own programs; `ask` sends it a request and resolves to its answer. */
export function startHelper(name) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = fork(file, [], { serialization: 'advanced' });
  track(child.pid);
  let settle = () => {};
  child.on('message', (answer) => settle(answer));
  child.on('exit', () => settle({ error: `${name} ended` }));
  return {
    pid: child.pid,
    /** One request at a time. */
    async ask(request, options = {}) {
      const answer = new Promise((resolve) => {
        settle = resolve;
      });
      child.send({ request, ...options });
      const { value, error } = await answer;
      if (error !== undefined) throw new Error(error);
      return value;
    },
    stop: () => stop(child.pid),
  };
}

/** Starts a program whose output goes to `log`, a file descriptor. */
export function startProgram(command, { log, env = {}, cwd }) {
  const [program, ...values] = command;
  const child = spawn(program, values, { stdio: ['ignore', log, log], env: { ...process.env, ...env }, cwd });
  child.on('error', () => {});
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  track(child.pid);
  return child.pid;
}

/** Runs a program to its end; its output, or an error with it. */
export async function run(command, { cwd, seconds = 60 } = {}) {
  const [program, ...values] = command;
  const child = spawn(program, values, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000 });
  const output = [];
  child.stdout.on('data', (bytes) => output.push(bytes));
  child.stderr.on('data', (bytes) => output.push(bytes));
  const code = await new Promise((resolve) => child.on('error', () => resolve(-1)).on('close', resolve));
  const text = Buffer.concat(output).toString();
  if (code !== 0) throw new Error(`${command.join(' ')} failed: ${text.trim().slice(-500)}`);
  return text;
}

/** A port that was free a moment ago, for servers that cannot tell which one they took. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
