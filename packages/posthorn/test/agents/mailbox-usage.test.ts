import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MailboxUsage } from '../../src/agents/mailbox-usage.ts';
import { makeFolder } from './mailbox-folder.ts';

async function maildir(path: string, files: Readonly<Record<string, number>>) {
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(path, part), { recursive: true });
  for (const [name, size] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), Buffer.alloc(size));
  }
  return { kind: 'maildir', path } as const;
}

describe('what a mailbox holds', () => {
  it('CMD-RCPT-11 LOC-MD-1 counts all folders of a Maildir, by the names that tell their size, and nothing in tmp or hidden', async () => {
    await using folder = await makeFolder();
    const place = await maildir(folder.path, {
      'new/1.a': 100,
      'cur/2.b,S=30:2,S': 0,
      'cur/3.c,S=7,W=9:2,': 0,
      'cur/4.S=x': 5,
      '.Sent/cur/5.d': 50,
      '.Sent.Old/new/6.e,S=8': 1,
      'tmp/7.f': 1000,
      'cur/.hidden': 1000,
    });
    const usage = new MailboxUsage(() => 0);
    expect(await usage.hasRoom(place, 800, 1000)).toBe(true);
    expect(await usage.hasRoom(place, 801, 1000)).toBe(false);
    expect(await usage.hasRoom(place, 1001, 1000)).toBe(false);
    expect(await usage.hasRoom({ kind: 'maildir', path: join(folder.path, 'none') }, 1, 1)).toBe(true);
    expect(await usage.hasRoom({ kind: 'mbox', path: join(folder.path, 'new', '1.a') }, 900, 1000)).toBe(true);
    expect(await usage.hasRoom({ kind: 'mbox', path: join(folder.path, 'new', '1.a') }, 901, 1000)).toBe(false);
  });

  it('CMD-RCPT-11 looks again once a minute, and sooner where there was no room', async () => {
    await using folder = await makeFolder();
    let now = 0;
    const usage = new MailboxUsage(() => now);
    const place = await maildir(folder.path, { 'cur/a': 500 });
    expect(await usage.hasRoom(place, 500, 1000)).toBe(true);
    await writeFile(join(folder.path, 'cur', 'b'), Buffer.alloc(400));
    expect(await usage.hasRoom(place, 500, 1000)).toBe(true);
    usage.add(place, 400);
    expect(await usage.hasRoom(place, 101, 1000)).toBe(false);
    usage.add(place, -400);
    expect(await usage.hasRoom(place, 101, 1000)).toBe(true);
    now = 60_000;
    expect(await usage.hasRoom(place, 101, 1000)).toBe(false);
    await rm(join(folder.path, 'cur', 'b'));
    expect(await usage.hasRoom(place, 101, 1000)).toBe(false);
    now += 1000;
    expect(await usage.hasRoom(place, 101, 1000)).toBe(true);
  });

  it('measures a mailbox once for all who ask at a time, and many mailboxes in turn', async () => {
    await using folder = await makeFolder();
    const usage = new MailboxUsage(() => 0);
    const places = await Promise.all(
      Array.from({ length: 20 }, (_, index) => maildir(join(folder.path, `${index}`), { 'cur/a': index })),
    );
    const asked = await Promise.all([...places, ...places].map((place) => usage.hasRoom(place, 1, 10)));
    expect(asked).toEqual([...places, ...places].map((_, index) => index % 20 < 10));
  });

  it('CMD-RCPT-11 tells of what cannot be read', async () => {
    await using folder = await makeFolder();
    await writeFile(join(folder.path, 'file'), '');
    const usage = new MailboxUsage(() => 0);
    await expect(usage.hasRoom({ kind: 'maildir', path: join(folder.path, 'file') }, 1, 10)).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
    await rm(join(folder.path, 'file'));
    expect(await usage.hasRoom({ kind: 'maildir', path: join(folder.path, 'file') }, 1, 10)).toBe(true);
  });
});
