import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../bench/soak.js', import.meta.url));
// What it measures is told by the kernel of Linux alone.
const hasStatus = existsSync('/proc/self/status');

/** The last line of what a script of Node wrote, and what it complained of. */
async function run(...words: string[]): Promise<{ readonly line: string; readonly complaints: string }> {
  const child = spawn(process.execPath, [script, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return { line: output.trim().split('\n').at(-1) ?? '', complaints };
}

it.skipIf(!hasStatus)(
  'SEC-RES-1 takes and passes on all good mail while hostile clients and hosts do their worst, within its memory',
  async () => {
    const { line, complaints } = await run('--seconds', '20', '--json');
    expect(complaints).toBe('');
    const found = JSON.parse(line);
    expect(found).toMatchObject({ survived: true, lost: 0, doubled: 0 });
    expect(found.accepted).toBeGreaterThan(10);
    expect(Object.values<number>(found.attacks).every((count) => count > 0)).toBe(true);
    expect(found.memory.most - found.memory.before).toBeLessThanOrEqual(found.memory.mostGrowth);
  },
  180_000,
);
