import { readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMboxAgent } from '../../src/agents/mbox.ts';
import type { Content } from '../../src/queue/queue-store.ts';
import { describeDeliveryAgent } from './delivery-agent-suite.ts';
import { contentThatBreaks, type JobFacts, jobOf, moment, systemError } from './delivery-job.ts';
import { makeFolder } from './mailbox-folder.ts';

const now = () => moment;
const fromLine = 'From ann@example.net Sat Nov 21 10:00:00 2026\n';
const top = 'Return-Path: <ann@example.net>\nDelivered-To: bob@example.org\n';

function mboxJob(path: string, facts: Omit<JobFacts, 'nextHop'> = {}) {
  return jobOf({ ...facts, nextHop: { kind: 'mbox', key: path, path } });
}

/** The messages of an mbox, the lines between them taken away. */
function messagesOf(mbox: string): string[] {
  return mbox
    .split(/^From .*\n/m)
    .slice(1)
    .map((text) => text.replace(/\n$/, ''));
}

describeDeliveryAgent('the mbox agent', async () => {
  const folder = await makeFolder();
  const path = join(folder.path, 'mbox');
  return {
    agent: createMboxAgent(now),
    nextHop: { kind: 'mbox', key: 'mbox', path },
    arrived: async () => messagesOf(await readFile(path, 'latin1')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('the mbox agent', () => {
  it('LOC-MB-1 appends a From_ line, quotes as mboxrd, and ends with an empty line', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'sub', 'mbox');
    const agent = createMboxAgent(now);
    const text = 'Subject: x\r\n\r\nFrom a\r\n>From b\r\n>>From c\r\nFromage\r\n> From d\r\n';
    await agent.deliver(mboxJob(path, { text }));
    await agent.deliver(mboxJob(path, { text: 'A: b\r\n\r\nno end', envelope: { reversePath: '' } }));
    await agent.deliver(
      mboxJob(path, {
        text: 'A: b\r\n\r\n',
        envelope: { reversePath: '"a b"@x', receivedAt: moment - 20 * 86_400_000 },
      }),
    );
    expect(await readFile(path, 'latin1')).toBe(
      `${fromLine}${top}Subject: x\n\n>From a\n>>From b\n>>>From c\nFromage\n> From d\n\n` +
        'From MAILER-DAEMON Sat Nov 21 10:00:00 2026\nReturn-Path: <>\nDelivered-To: bob@example.org\nA: b\n\nno end\n\n' +
        'From "a-b"@x Sun Nov  1 10:00:00 2026\nReturn-Path: <"a b"@x>\nDelivered-To: bob@example.org\nA: b\n\n\n',
    );
    expect(await readdir(join(folder.path, 'sub'))).toEqual(['mbox']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('LOC-MB-1 appends every one of many deliveries at once as a whole', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'mbox');
    const agent = createMboxAgent(now);
    const texts = Array.from({ length: 250 }, (_, index) => `Subject: ${index}\r\n\r\n${`${index} `.repeat(2000)}\r\n`);
    await Promise.all(texts.map((text) => agent.deliver(mboxJob(path, { text }))));
    const messages = messagesOf(await readFile(path, 'latin1'));
    expect(messages.sort()).toEqual(texts.map((text) => `${top}${text.replaceAll('\r\n', '\n')}`).sort());
  });

  it('LOC-MB-1 truncates the file back when an append fails, and delivers the others', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'mbox');
    const earlier = 'From x\nas it was\n\n';
    await writeFile(path, earlier);
    const agent = createMboxAgent(now);
    const broken = contentThatBreaks('A: b\r\n\r\nhalf', systemError('ENOSPC'));
    const [first] = await agent.deliver(mboxJob(path, { content: broken }));
    expect(first).toMatchObject({ kind: 'deferred', status: '4.3.1' });
    expect(await readFile(path, 'latin1')).toBe(earlier);
    const jobs = [
      { text: 'A: 1\r\n\r\n' },
      { content: contentThatBreaks('A: b\r\n\r\nhalf', systemError('EIO')) },
      { text: 'A: 2\r\n\r\n' },
    ];
    const outcomes = await Promise.all(jobs.map((facts) => agent.deliver(mboxJob(path, facts))));
    expect(outcomes.flat().map(({ kind }) => kind)).toEqual(['delivered', 'deferred', 'delivered']);
    const mbox = await readFile(path, 'latin1');
    expect(mbox).not.toContain('half');
    expect(messagesOf(mbox)).toHaveLength(3);
  });

  it('LOC-MB-1 is not swallowed by an earlier message that was cut off', async () => {
    await using folder = await makeFolder();
    for (const [index, end] of ['', 'half', 'whole line\n', 'empty line\n\n', '\n'].entries()) {
      const path = join(folder.path, `mbox${index}`);
      await writeFile(path, end);
      await createMboxAgent(now).deliver(mboxJob(path, { text: 'A: b\r\n\r\n' }));
      const mbox = await readFile(path, 'latin1');
      expect(mbox.startsWith(end)).toBe(true);
      expect(mbox.slice(0, mbox.indexOf('From ann'))).toMatch(end === '' ? /^$/ : /(^|[^\n])\n\n$/);
    }
  });

  it('LOC-MB-1 answers 4.2.0 while another program holds the lock, and leaves the lock to it', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'mbox');
    await writeFile(`${path}.lock`, '');
    await utimes(`${path}.lock`, new Date(moment), new Date(moment));
    const [outcome] = await createMboxAgent(now, { patience: 150 }).deliver(mboxJob(path));
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.2.0' });
    expect(await readdir(folder.path)).toEqual(['mbox.lock']);
  });

  it('LOC-MB-1 goes on when the lock is given up or was left over', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'mbox');
    await writeFile(`${path}.lock`, '');
    await utimes(`${path}.lock`, new Date(moment), new Date(moment));
    const delivery = createMboxAgent(now, { patience: 10_000 }).deliver(mboxJob(path));
    await unlink(`${path}.lock`);
    expect(await delivery).toMatchObject([{ kind: 'delivered' }]);
    await writeFile(`${path}.lock`, '');
    const old = new Date(moment - 11 * 60_000);
    await utimes(`${path}.lock`, old, old);
    expect(await createMboxAgent(now, { patience: 0 }).deliver(mboxJob(path))).toMatchObject([{ kind: 'deferred' }]);
    expect(await createMboxAgent(now, { patience: 150 }).deliver(mboxJob(path))).toMatchObject([{ kind: 'delivered' }]);
    expect(await readdir(folder.path)).toEqual(['mbox']);
  });

  it('LOC-MB-1 holds the lock while it writes', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'mbox');
    let reads = 0;
    const seen: string[][] = [];
    const content: Content = {
      size: 8,
      async *stream() {
        reads += 1;
        yield Buffer.from('A: b\r\n\r\n');
        if (reads > 1) seen.push((await readdir(folder.path)).sort());
      },
    };
    await createMboxAgent(now).deliver(mboxJob(path, { content }));
    expect(seen).toEqual([['mbox', 'mbox.lock']]);
  });
});
