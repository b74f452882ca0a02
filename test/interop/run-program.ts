import { execFile } from 'node:child_process';
import { program } from './peers/peer.ts';

/** Runs a program with input; its output, or an exception with both of its streams. */
export function runProgram(name: string, args: readonly string[], input: Buffer | string = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program(name),
      args,
      { timeout: 60_000, maxBuffer: 1e8, encoding: 'latin1' },
      (error, out, err) =>
        error ? reject(new Error(`${error.message}\n${out.slice(-4000)}\n${err.slice(-4000)}`)) : resolve(out),
    );
    child.stdin?.end(input);
  });
}
