import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A program of somebody else that runs for one test. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
}

/** The path of a program, installed or unpacked beside the system; undefined when it is nowhere. */
function findProgram(name: string): string | undefined {
  const roots = ['', process.env.POSTHORN_PEERS ?? `${process.env.HOME}/.cache/posthorn-ci/peers`];
  const paths = roots.flatMap((root) => ['/usr/sbin', '/usr/bin'].map((folder) => `${root}${folder}/${name}`));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether tests with these programs can run; where CI is set they must. */
export function hasPeers(...names: string[]): boolean {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0 && process.env.CI) throw new Error(`not installed: ${missing.join(', ')}`);
  return missing.length === 0 && process.getuid?.() === 0;
}

/** The path of a program that `hasPeers` found. */
export function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/** A loopback port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A folder that others can enter, as most peers drop their privileges. */
export function newFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `${name}-`));
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Waits until something listens, or the deadline of 20 seconds is over. */
export async function untilListening(
  port: number,
  state: { readonly host?: string; readonly failed?: string } = {},
): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!(await answers(port, state.host ?? '127.0.0.1'))) {
    if (state.failed !== undefined) throw new Error(state.failed);
    if (Date.now() > limit) throw new Error(`nothing listens on port ${port}`);
    await wait(30);
  }
}

/** Asks a process to end, and makes it end after five seconds. */
async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

/** Starts a daemon in the foreground and waits for its port. */
export async function startDaemon(
  command: string,
  args: readonly string[],
  { port, folder, host = '127.0.0.1' }: { port: number; folder: string; host?: string },
): Promise<Peer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
  const state: { host: string; failed?: string } = { host };
  let output = '';
  const keep = (piece: Buffer) => {
    output = (output + piece.toString('latin1')).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('exit', (code) => {
    state.failed = `${command} ended with ${code}: ${output}`;
  });
  try {
    await untilListening(port, state);
  } catch (error) {
    await endProcess(child);
    throw new Error(`${(error as Error).message}\n${output}`);
  }
  return {
    port,
    folder,
    async [Symbol.asyncDispose]() {
      await endProcess(child);
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
