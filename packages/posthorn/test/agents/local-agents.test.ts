import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiscardAgent } from '../../src/agents/discard.ts';
import { createMaildirAgent } from '../../src/agents/maildir.ts';
import { createMboxAgent } from '../../src/agents/mbox.ts';
import type { DeliveryJob } from '../../src/queue/delivery-agent.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Content } from '../../src/queue/queue-store.ts';

const now = () => Date.UTC(2026, 10, 21, 10);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agents-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function contentOf(bytes: Buffer, pieceSize = bytes.length): Content {
  return {
    size: bytes.length,
    async *stream() {
      for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    },
  };
}

interface JobFacts {
  readonly text: string | Buffer;
  readonly kind: 'maildir' | 'mbox';
  readonly path: string;
  readonly reversePath?: string;
  readonly recipient?: string;
  readonly pieceSize?: number;
}

function jobOf(facts: JobFacts): DeliveryJob {
  const bytes = Buffer.from(facts.text as string, 'latin1');
  const recipients = [{ address: facts.recipient ?? 'bob@example.org' }];
  const nextHop: NextHop = { kind: facts.kind, key: facts.path, path: facts.path };
  return {
    envelope: {
      id: 'Q1',
      reversePath: facts.reversePath ?? 'ann@example.net',
      recipients,
      receivedAt: now(),
      size: bytes.length,
      body: '8BITMIME',
      smtputf8: false,
      origin: { clientAddress: '192.0.2.1' },
    },
    recipients,
    content: contentOf(bytes, facts.pieceSize),
    nextHop,
    signal: new AbortController().signal,
  };
}

async function onlyFile(path: string): Promise<string> {
  const names = await readdir(path);
  expect(names).toHaveLength(1);
  return readFile(join(path, names[0] as string), 'latin1');
}

describe('the Maildir agent', () => {
  it('LOC-MD-1 TRC-6 LOC-1 puts one file with LF line ends, Return-Path and Delivered-To into new, and leaves tmp empty', async () => {
    const path = join(folder, 'a', 'box');
    const text = 'Received: from x\r\nSubject: h\xe9\r\n\r\nline \0 one\r\nFrom here\r\n';
    const [outcome] = await createMaildirAgent(now).deliver(jobOf({ text, kind: 'maildir', path }));
    expect(outcome).toMatchObject({ kind: 'delivered', status: '2.1.5', handover: 'final' });
    expect(await onlyFile(join(path, 'new'))).toBe(
      `Return-Path: <ann@example.net>\nDelivered-To: bob@example.org\n${text.replaceAll('\r\n', '\n')}`,
    );
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    expect(await readdir(join(path, 'cur'))).toEqual([]);
  });

  it('TRC-6 EX-7 writes exactly one Return-Path, `<>` for the null path, and removes those that came', async () => {
    const path = join(folder, 'box');
    const trace = [
      'Received: from USC-ISI by BERKELEY ; 27 Oct 81 15:27:39 PST',
      'Received: from X by Y ; 27 Oct 81 15:15:13 PST',
    ].join('\r\n');
    const text = `Return-Path: <@A,@B,@C:JOE@D>\r\n${trace}\r\nSubject: x\r\nreturn-path: <no@where>\r\n\r\nReturn-Path: <body>\r\n`;
    await createMaildirAgent(now).deliver(jobOf({ text, kind: 'maildir', path, reversePath: '' }));
    expect(await onlyFile(join(path, 'new'))).toBe(
      `Return-Path: <>\nDelivered-To: bob@example.org\n${trace.replace('\r\n', '\n')}\nSubject: x\n\nReturn-Path: <body>\n`,
    );
  });

  it('CLI-LOOP-1 fails with 5.4.6 what was delivered to the same address before', async () => {
    const path = join(folder, 'box');
    const text = 'Delivered-To: BOB@example.org\r\n\r\n';
    const [outcome] = await createMaildirAgent(now).deliver(jobOf({ text, kind: 'maildir', path }));
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.4.6' });
  });

  it('LOC-MD-1 gives every one of many deliveries at once a file of its own', async () => {
    const path = join(folder, 'box');
    const agent = createMaildirAgent(now);
    const texts = Array.from({ length: 50 }, (_, index) => `Subject: ${index}\r\n\r\n`);
    await Promise.all(texts.map((text) => agent.deliver(jobOf({ text, kind: 'maildir', path }))));
    expect(await readdir(join(path, 'new'))).toHaveLength(50);
  });

  it('LOC-MD-1 removes files of tmp that are older than 36 hours, and no others', async () => {
    const path = join(folder, 'box');
    await mkdir(join(path, 'tmp'), { recursive: true });
    for (const name of ['old', 'young', '.dot']) await writeFile(join(path, 'tmp', name), '');
    const old = new Date(now() - 37 * 60 * 60_000);
    await utimes(join(path, 'tmp', 'old'), old, old);
    await utimes(join(path, 'tmp', '.dot'), old, old);
    await utimes(join(path, 'tmp', 'young'), new Date(now()), new Date(now()));
    await createMaildirAgent(now).deliver(jobOf({ text: '\r\n', kind: 'maildir', path }));
    expect((await readdir(join(path, 'tmp'))).sort()).toEqual(['.dot', 'young']);
  });

  it('LOC-MD-1 defers when the mailbox cannot be written, and says why', async () => {
    await writeFile(join(folder, 'file'), '');
    const job = jobOf({ text: '\r\n', kind: 'maildir', path: join(folder, 'file', 'box') });
    const [outcome] = await createMaildirAgent(now).deliver(job);
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.3.0' });
    expect(outcome?.text).toContain('ENOTDIR');
  });
});

describe('the mbox agent', () => {
  it('LOC-MB-1 appends a From_ line, quotes as mboxrd, and ends with an empty line', async () => {
    const path = join(folder, 'sub', 'mbox');
    const agent = createMboxAgent(now);
    const text = 'Subject: x\r\n\r\nFrom a\r\n>From b\r\n>>From c\r\nFromage\r\n> From d\r\n';
    await agent.deliver(jobOf({ text, kind: 'mbox', path }));
    await agent.deliver(jobOf({ text: 'A: b\r\n\r\nno end', kind: 'mbox', path, reversePath: '' }));
    const top = 'Delivered-To: bob@example.org\n';
    expect(await readFile(path, 'latin1')).toBe(
      `From ann@example.net Sat Nov 21 10:00:00 2026\nReturn-Path: <ann@example.net>\n${top}` +
        'Subject: x\n\n>From a\n>>From b\n>>>From c\nFromage\n> From d\n\n' +
        `From MAILER-DAEMON Sat Nov 21 10:00:00 2026\nReturn-Path: <>\n${top}A: b\n\nno end\n\n`,
    );
    expect(await readdir(join(folder, 'sub'))).toEqual(['mbox']);
  });

  it('LOC-MB-1 quotes alike however the text is cut', async () => {
    const line = fc.constantFrom('From x', '>From y', '>>>', 'F', 'Fro', '', '>', 'text');
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), async (lines, pieceSize) => {
        const path = join(folder, `cut-${Math.random()}`);
        const text = `A: b\r\n\r\n${lines.map((each) => `${each}\r\n`).join('')}`;
        await createMboxAgent(now).deliver(jobOf({ text, kind: 'mbox', path, pieceSize }));
        const body = (await readFile(path, 'latin1')).split('\n\n').slice(1).join('\n\n');
        const expected = lines.map((each) => `${each.replace(/^(>*From )/, '>$1')}\n`).join('');
        expect(body).toBe(`${expected}\n`);
      }),
      { numRuns: 60 },
    );
  });

  it('LOC-MB-1 truncates the file back when an append fails', async () => {
    const path = join(folder, 'mbox');
    await writeFile(path, 'as it was');
    const job = jobOf({ text: 'x', kind: 'mbox', path });
    const broken: Content = {
      size: 3,
      async *stream() {
        yield Buffer.from('A: b\r\n\r\n');
        throw Object.assign(new Error('disk'), { code: 'EIO' });
      },
    };
    let reads = 0;
    const content: Content = { size: 3, stream: () => (reads++ === 0 ? job.content : broken).stream() };
    const [outcome] = await createMboxAgent(now).deliver({ ...job, content });
    expect(outcome).toMatchObject({ kind: 'deferred' });
    expect(await readFile(path, 'latin1')).toBe('as it was');
  });

  it('LOC-MB-1 answers 4.2.0 while another program holds the lock', { timeout: 20_000 }, async () => {
    const path = join(folder, 'mbox');
    await writeFile(`${path}.lock`, '');
    const [outcome] = await createMboxAgent(now).deliver(jobOf({ text: 'x', kind: 'mbox', path }));
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.2.0' });
  });
});

describe('the discard agent', () => {
  it('takes everything and keeps nothing', async () => {
    const [outcome] = await createDiscardAgent(now).deliver(jobOf({ text: 'x', kind: 'maildir', path: folder }));
    expect(outcome).toMatchObject({ kind: 'delivered', handover: 'final' });
    expect(await readdir(folder)).toEqual([]);
  });
});
