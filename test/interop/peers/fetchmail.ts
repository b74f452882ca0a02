import { spawn } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, program } from './peer.ts';

/** What came of one run. */
export interface Fetched {
  /** 0: something came, 1: nothing waits, others: it failed. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs fetchmail once with one line of its configuration. */
export async function fetchmail(line: string): Promise<Fetched> {
  const folder = newFolder('fetchmail');
  const file = join(folder, 'fetchmailrc');
  writeFileSync(file, `${line}\n`);
  chmodSync(file, 0o600);
  const words = ['--verbose', '--nodetach', '--fetchmailrc', file, '--pidfile', join(folder, 'pid')];
  const child = spawn(program('fetchmail'), words, {
    env: { ...process.env, HOME: folder, FETCHMAILHOME: folder, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => {
      output += piece.toString('latin1');
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  rmSync(folder, { recursive: true, force: true });
  return { code, output };
}
