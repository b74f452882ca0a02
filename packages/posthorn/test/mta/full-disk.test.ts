import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

const disk = mkdtempSync(join(tmpdir(), 'mta-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', disk]).status === 0;

afterAll(() => {
  if (mounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

it.runIf(process.env.CI)('a small disk can be made where tests must not be left out', () => {
  expect(mounted).toBe(true);
});

/** Takes all the room that is left; gives what frees it again. */
function fillDisk(): () => void {
  const folder = join(disk, 'other');
  mkdirSync(folder);
  for (const size of [1 << 20, 1 << 16, 4096]) {
    for (let at = 0; ; at += 1) {
      const path = join(folder, `${size}-${at}`);
      try {
        writeFileSync(path, Buffer.alloc(size));
      } catch {
        rmSync(path, { force: true });
        break;
      }
    }
  }
  return () => rmSync(folder, { recursive: true });
}

const body = `${'x'.repeat(76)}\r\n`.repeat(1300);
const mail = (at: number) => ({ to: [`<u${at}@far.example>`], text: `Subject: ${at}\r\n\r\n${body}` });

describe.skipIf(!mounted)('an agent whose disk is full', () => {
  it('CMD-DATA-9 ENH-3/4.3.1 refuses mail with 452 4.3.1, delivers all that it took, and takes mail again', async () => {
    let isOpen = false;
    await using hop = await startNextHop({
      reply: (verb) => (verb === 'RCPT' && !isOpen ? '450 4.2.1 later' : undefined),
    });
    await using test = await startTestAgent(() => ({
      dataDir: join(disk, 'data'),
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to: hop.to }],
      queue: { retry: ['4s'] },
    }));
    const taken: number[] = [];
    let next = 0;
    for (let refused = 0; refused < 20; ) {
      expect(next).toBeLessThan(1000);
      const numbers = Array.from({ length: 20 }, () => next++);
      const replies = await sendMail(test.port, ...numbers.map(mail));
      for (const [at, reply] of replies.entries()) {
        expect(reply).toMatch(/^(250 2\.0\.0|452 4\.3\.1) /);
        if (reply.startsWith('250')) taken.push(numbers[at] as number);
        else refused += 1;
      }
    }
    expect(taken.length).toBeGreaterThan(50);
    expect(test.agent.store.count()).toBe(taken.length);

    const free = fillDisk();
    isOpen = true;
    await expect.poll(() => test.agent.store.count(), { timeout: 60_000 }).toBe(0);
    const subjects = hop.taken.map(({ text }) => Number(/^Subject: (\d+)/m.exec(text)?.[1]));
    expect(subjects.sort((a, b) => a - b)).toEqual(taken);
    expect(hop.taken.every(({ text }) => text.endsWith(body))).toBe(true);

    free();
    expect(await sendMail(test.port, mail(next))).toEqual([expect.stringMatching(/^250 2\.0\.0 /)]);
    await expect.poll(() => hop.taken.length).toBe(taken.length + 1);
  }, 120_000);
});
