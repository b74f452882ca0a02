import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { describe, expect, it } from 'vitest';
import { createMaildirAgent } from '../../src/agents/maildir.ts';
import type { Content } from '../../src/queue/queue-store.ts';
import { describeDeliveryAgent } from './delivery-agent-suite.ts';
import {
  contentInPieces,
  contentThatBreaks,
  type JobFacts,
  jobOf,
  moment,
  systemError,
  usualText,
} from './delivery-job.ts';
import { makeFolder, newMessages } from './mailbox-folder.ts';

const now = () => moment;

function maildirJob(path: string, facts: Omit<JobFacts, 'nextHop'> = {}) {
  return jobOf({ ...facts, nextHop: { kind: 'maildir', key: path, path } });
}

describeDeliveryAgent('the Maildir agent', async () => {
  const folder = await makeFolder();
  return {
    agent: createMaildirAgent(now),
    nextHop: { kind: 'maildir', key: 'maildir', path: join(folder.path, 'box') },
    arrived: () => newMessages(join(folder.path, 'box')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('the Maildir agent', () => {
  it('LOC-MD-1 TRC-6 LOC-1 puts one file with LF line ends, Return-Path and Delivered-To into new, and leaves tmp empty', async () => {
    await using folder = await makeFolder();
    const path = join(folder.path, 'a', 'box');
    const [outcome] = await createMaildirAgent(now).deliver(maildirJob(path));
    expect(outcome).toEqual({
      kind: 'delivered',
      status: '2.1.5',
      at: moment,
      handover: 'final',
      text: 'delivered to mailbox',
    });
    expect(await newMessages(path)).toEqual([
      `Return-Path: <ann@example.net>\nDelivered-To: bob@example.org\n${usualText.replaceAll('\r\n', '\n')}`,
    ]);
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    expect(await readdir(join(path, 'cur'))).toEqual([]);
    const [name = ''] = await readdir(join(path, 'new'));
    expect(name).toMatch(new RegExp(`^${moment / 1000}\\.M000000P${process.pid}Q\\d+R[0-9a-f]{8}\\.[^/:]+$`));
    expect((await stat(join(path, 'new', name))).mode & 0o777).toBe(0o600);
    for (const part of ['', 'tmp', 'new', 'cur']) expect((await stat(join(path, part))).mode & 0o777).toBe(0o700);
  });

  it('TRC-6 EX-7 writes exactly one Return-Path, `<>` for the null path, and removes those that came', async () => {
    await using folder = await makeFolder();
    const trace =
      'Received: from USC-ISI by BERKELEY ; 27 Oct 81 15:27:39 PST\r\nReceived: from X by Y ; 27 Oct 81 15:15:13 PST\r\n';
    const text = `Return-Path: <@A,@B,@C:JOE@D>\r\n${trace}Subject: x\r\nreturn-path:\r\n <no@where>\r\n\r\nReturn-Path: <body>\r\n`;
    await createMaildirAgent(now).deliver(maildirJob(folder.path, { text, envelope: { reversePath: '' } }));
    expect(await newMessages(folder.path)).toEqual([
      `Return-Path: <>\nDelivered-To: bob@example.org\n${trace.replaceAll('\r\n', '\n')}Subject: x\n\nReturn-Path: <body>\n`,
    ]);
  });

  it('CLI-LOOP-1 fails with 5.4.6 what was delivered to the same address before, and nobody else', async () => {
    await using folder = await makeFolder();
    const text =
      'Delivered-To: other@example.org\r\nDelivered-To:\r\n BOB@Example.org\r\n\r\nDelivered-To: ann@example.org\r\n';
    const recipients = [{ address: 'bob@example.org' }, { address: 'ann@example.org' }];
    const outcomes = await createMaildirAgent(now).deliver(maildirJob(folder.path, { text, recipients }));
    expect(outcomes).toMatchObject([{ kind: 'failed', status: '5.4.6' }, { kind: 'delivered' }]);
    expect(await newMessages(folder.path)).toHaveLength(1);
  });

  it('LOC-MDN-2 says whom the sender named at first, but nothing that would make fields of its own', async () => {
    await using folder = await makeFolder();
    const recipients = [
      { address: 'a@example.org', originalRecipient: 'rfc822;list@example.org' },
      { address: 'b@example.org', originalRecipient: 'rfc822;x\r\nBcc: y' },
    ];
    const agent = createMaildirAgent(now);
    await agent.deliver(maildirJob(folder.path, { text: 'A: b\r\n\r\n', recipients }));
    expect((await newMessages(folder.path)).sort()).toEqual([
      'Return-Path: <ann@example.net>\nDelivered-To: a@example.org\nOriginal-Recipient: rfc822; list@example.org\nA: b\n\n',
      'Return-Path: <ann@example.net>\nDelivered-To: b@example.org\nA: b\n\n',
    ]);
  });

  it('keeps the body of BINARYMIME octet by octet, and a bare CR or LF in any', async () => {
    await using folder = await makeFolder();
    const body = 'a\r\nb\rc\nd\r\r\n\r\n';
    const binary = { text: `A: b\r\n\r\n${body}`, envelope: { body: 'BINARYMIME' } as const };
    const agent = createMaildirAgent(now);
    for (const pieceSize of [1, 5, 100]) {
      const content = contentInPieces(Buffer.from(binary.text), pieceSize);
      await agent.deliver(maildirJob(join(folder.path, 'binary'), { ...binary, content }));
      await agent.deliver(maildirJob(join(folder.path, 'text'), { content }));
    }
    const top = 'Return-Path: <ann@example.net>\nDelivered-To: bob@example.org\nA: b\n\n';
    expect(await newMessages(join(folder.path, 'binary'))).toEqual(Array(3).fill(`${top}${body}`));
    expect(await newMessages(join(folder.path, 'text'))).toEqual(Array(3).fill(`${top}a\nb\rc\nd\r\n\n`));
  });

  it('LOC-MD-1 gives every one of many deliveries at once a file of its own', async () => {
    await using folder = await makeFolder();
    const agent = createMaildirAgent(now);
    const texts = Array.from({ length: 100 }, (_, index) => `Subject: ${index}\r\n\r\n`);
    await Promise.all(texts.map((text) => agent.deliver(maildirJob(join(folder.path, 'box'), { text }))));
    const subjects = (await newMessages(join(folder.path, 'box'))).map((text) => /Subject: (\d+)/.exec(text)?.[1]);
    expect(new Set(subjects).size).toBe(100);
  });

  it('makes a Maildir anew that went away', async () => {
    await using folder = await makeFolder();
    const agent = createMaildirAgent(now);
    const path = join(folder.path, 'box');
    await agent.deliver(maildirJob(path));
    await rm(path, { recursive: true });
    expect(await agent.deliver(maildirJob(path))).toMatchObject([{ kind: 'delivered' }]);
    expect(await newMessages(path)).toHaveLength(1);
  });

  it('LOC-MD-1 removes files of tmp that are older than 36 hours, at once and again after an hour, and no others', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    let time = moment;
    const agent = createMaildirAgent(() => time);
    const put = async (name: string, hours: number) => {
      await writeFile(join(path, 'tmp', name), '');
      const age = new Date(time - hours * 3_600_000);
      await utimes(join(path, 'tmp', name), age, age);
    };
    await mkdir(join(path, 'tmp'));
    for (const name of ['old', '.dot']) await put(name, 37);
    await put('young', 35);
    await agent.deliver(maildirJob(path));
    expect((await readdir(join(path, 'tmp'))).sort()).toEqual(['.dot', 'young']);
    await put('old', 37);
    await agent.deliver(maildirJob(path));
    expect(await readdir(join(path, 'tmp'))).toContain('old');
    time += 3_600_000;
    await agent.deliver(maildirJob(path));
    expect((await readdir(join(path, 'tmp'))).sort()).toEqual(['.dot', 'young']);
  });

  it('LOC-MD-1 takes of a large message no more than it has written', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const piece = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(4096));
    const count = 160;
    let ahead = 0;
    let reads = 0;
    const content: Content = {
      size: count * piece.length,
      async *stream() {
        reads += 1;
        yield Buffer.from('Subject: large\r\n\r\n');
        for (let index = 0; index < count; index += 1) {
          yield piece;
          if (reads === 1) continue;
          const [name = ''] = await readdir(join(path, 'tmp'));
          const { size } = await stat(join(path, 'tmp', name));
          ahead = Math.max(ahead, (index + 1) * (piece.length - 4096) - size);
        }
      },
    };
    const [outcome] = await createMaildirAgent(now).deliver(maildirJob(path, { content }));
    expect(outcome).toMatchObject({ kind: 'delivered' });
    expect(ahead).toBeLessThanOrEqual(piece.length);
    const [name = ''] = await readdir(join(path, 'new'));
    expect((await stat(join(path, 'new', name))).size).toBeGreaterThan(count * (piece.length - 4096));
  });

  it('LOC-MD-1 defers whatever goes wrong with the disk, says what, and leaves nothing behind', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const agent = createMaildirAgent(now);
    const text = 'A: b\r\n\r\nbody';
    for (const [code, status] of [
      ['ENOSPC', '4.3.1'],
      ['EDQUOT', '4.2.2'],
      ['EACCES', '4.3.0'],
      ['EIO', '4.3.0'],
    ] as const) {
      const [outcome] = await agent.deliver(maildirJob(path, { content: contentThatBreaks(text, systemError(code)) }));
      expect(outcome).toMatchObject({ kind: 'deferred', status, text: expect.stringContaining(code) });
    }
    const unreadable = contentThatBreaks(text, new Failure('storage', 'gone'));
    expect(await agent.deliver(maildirJob(path, { content: unreadable }))).toMatchObject([
      { kind: 'deferred', status: '4.3.0' },
    ]);
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    expect(await readdir(join(path, 'new'))).toEqual([]);
    await writeFile(join(path, 'file'), '');
    const [outcome] = await agent.deliver(maildirJob(join(path, 'file', 'box')));
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.3.0', text: expect.stringContaining('ENOTDIR') });
  });

  it('does not blame the mailbox for a fault of our own', async () => {
    await using folder = await makeFolder();
    const content = contentThatBreaks('A: b\r\n\r\n', new TypeError('a bug'));
    await expect(createMaildirAgent(now).deliver(maildirJob(folder.path, { content }))).rejects.toThrow('a bug');
  });

  it('breaks off in the midst of a message when it is told to', async () => {
    await using folder = await makeFolder();
    const { path } = folder;
    const ending = new AbortController();
    let reads = 0;
    const content: Content = {
      size: 100,
      async *stream() {
        reads += 1;
        yield Buffer.from('A: b\r\n\r\n');
        if (reads > 1) ending.abort();
        yield Buffer.from('the rest');
      },
    };
    const [outcome] = await createMaildirAgent(now).deliver(maildirJob(path, { content, signal: ending.signal }));
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.3.2' });
    expect([...(await readdir(join(path, 'new'))), ...(await readdir(join(path, 'tmp')))]).toEqual([]);
  });
});
