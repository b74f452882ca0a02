import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./spool-child.mjs', import.meta.url));
const built = fileURLToPath(new URL('../../dist/spool/open-spool.js', import.meta.url));

export interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Lines of its output so far. */
  readonly lines: string[];
  /** Standard error, when it has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null; errors: string }>;
  /** Resolves with the first line that begins so; rejects when it ends without. */
  line(start: string): Promise<string>;
}

/** Starts spool-child.mjs; `prefix` is a command to run it under, `flags` go to Node. */
export function startChild(
  args: string[],
  { prefix = [], flags = [] }: { prefix?: string[]; flags?: string[] } = {},
): Child {
  if (!existsSync(built)) throw new Error(`${built} is missing: run npm run build first`);
  const [command, ...rest] = [...prefix, process.execPath, ...flags, script, ...args] as [string, ...string[]];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const check of waiting) check();
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const ended: Child['ended'] = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, errors }));
  });
  const line = (start: string) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = lines.find((line) => line.startsWith(start));
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      ended.then(({ errors }) => reject(new Error(`ended without "${start}": ${errors}`)), reject);
      check();
    });
  return { process: child, lines, ended, line };
}
