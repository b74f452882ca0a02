import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** How programs are run. */
export interface ProgramRules {
  /** Who they run as; as the server itself where it is absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Where they start. */
  readonly home: string;
  /** Milliseconds after which they are ended, with all that they started. */
  readonly timeLimit: number;
}

/** One run. */
export interface ProgramRun {
  /** For the shell. */
  readonly command: string;
  /** All there is in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it reads. */
  readonly input: AsyncIterable<Buffer>;
  readonly signal: AbortSignal;
}

/** How a program ended; `output` is the beginning of what it wrote. */
export type ProgramEnd = { readonly output: string } & (
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'late' | 'aborted' }
  /** It did not begin; `output` says why. */
  | { readonly kind: 'not-run' }
);

/** Octets of its output that are kept. */
const mostOutput = 1024;
/** Milliseconds that output is waited for behind its end: what it left running may hold the other end for ever. */
const lastWords = 500;

/**
 * Runs a command in a process group of its own with a minimal environment, and ends the whole group when its time is over.
 * Rejects only when the input cannot be read.
 */
export async function runProgram(run: ProgramRun, rules: ProgramRules): Promise<ProgramEnd> {
  const child = spawn('/bin/sh', ['-c', run.command], {
    cwd: rules.home,
    env: { ...run.environment },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...rules.user,
  });
  const output = collectOutput(child);
  let cause: 'late' | 'aborted' | undefined;
  const end = (why: 'late' | 'aborted') => {
    cause ??= why;
    killGroup(child);
  };
  const timer = setTimeout(() => end('late'), rules.timeLimit);
  const abort = () => end('aborted');
  run.signal.addEventListener('abort', abort, { once: true });
  try {
    const ended = endOf(child);
    const fed = feed(run.input, child).catch((error: unknown) => {
      killGroup(child);
      throw error;
    });
    if (run.signal.aborted) abort();
    const [how] = await Promise.all([ended, fed]);
    await lastOutput(child);
    return cause === undefined || how.kind === 'not-run'
      ? { ...how, output: how.kind === 'not-run' ? how.output : output() }
      : { kind: cause, output: output() };
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', abort);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

type HowEnded = Extract<ProgramEnd, { kind: 'exit' | 'killed' | 'not-run' }>;

function endOf(child: ChildProcess): Promise<HowEnded> {
  return new Promise((resolve) => {
    const ended = (how: HowEnded) => {
      // What it left running must not keep us feeding it.
      child.stdin?.destroy();
      resolve(how);
    };
    child.once('error', (error) => ended({ kind: 'not-run', output: error.message }));
    child.once('exit', (code, signal) =>
      ended(code === null ? { kind: 'killed', signal: signal ?? '', output: '' } : { kind: 'exit', code, output: '' }),
    );
  });
}

/** Gives it the input; a program need not read to the end, its exit code alone counts. */
async function feed(input: AsyncIterable<Buffer>, { stdin }: ChildProcess): Promise<void> {
  let failure: unknown;
  const pieces = input[Symbol.asyncIterator]();
  const next = async () => {
    try {
      return await pieces.next();
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  // No `yield*`: when the program reads no more, Node throws that into the generator, and it would count as the input's failure.
  async function* watched() {
    try {
      for (let piece = await next(); piece.done !== true; piece = await next()) yield piece.value;
    } finally {
      await pieces.return?.();
    }
  }
  if (stdin === null) return;
  await pipeline(Readable.from(watched(), { objectMode: false }), stdin).catch(() => undefined);
  if (failure !== undefined) throw failure;
}

/** Keeps the beginning, and reads on, so that the program never waits for us. */
function collectOutput({ stdout, stderr }: ChildProcess): () => string {
  const pieces: Buffer[] = [];
  let room = mostOutput;
  for (const stream of [stdout, stderr]) {
    stream?.on('error', () => undefined);
    stream?.on('data', (piece: Buffer) => {
      if (room > 0) pieces.push(Buffer.from(piece.subarray(0, room)));
      room -= piece.length;
    });
  }
  return () => Buffer.concat(pieces).toString('utf8');
}

async function lastOutput(child: ChildProcess): Promise<void> {
  if (child.stdout?.readableEnded !== false && child.stderr?.readableEnded !== false) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, lastWords);
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of the group has ended.
  }
}
