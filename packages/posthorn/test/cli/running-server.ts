import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, '..', '..', 'bin', 'posthorn.js');

/** A process of the built command. */
export interface RunningCommand {
  readonly process: ChildProcess;
  /** All that it wrote so far, to standard output and standard error. */
  readonly output: () => string;
  readonly log: () => string;
  /** Resolves with the match when the text (output and log together) has it; rejects when the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code when the process has ended. */
  readonly ended: Promise<number | null>;
}

/** Runs the built command in a folder. */
export function runBuilt(words: readonly string[], folder: string): RunningCommand {
  const child = spawn(process.execPath, [program, ...words], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    child.emit('written');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    child.emit('written');
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    process: child,
    output: () => output,
    log: () => log,
    ended,
    until(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output + log);
          if (match !== null) resolve(match);
        };
        child.on('written', look);
        look();
        void ended.then(() => {
          look();
          reject(new Error(`it ended without ${pattern}: ${output}${log}`));
        });
      });
    },
  };
}
