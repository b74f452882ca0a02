import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestAgent, talk, type TestAgent } from './fixture.ts';

/** Waits until a Maildir holds so many messages, and gives them. */
async function mailIn({ folder }: TestAgent, box: string, count: number): Promise<string[]> {
  const path = join(folder, 'mail', box, 'new');
  return expect.poll(async () => (await readdir(path).catch(() => [])).length, { timeout: 10_000 }).toBe(count).then(async () => {
    const names = (await readdir(path)).sort();
    return Promise.all(names.map((name) => readFile(join(path, name), 'latin1')));
  });
}

const text = 'From: bob@example.com\r\nSubject: x\r\n\r\nHello\r\n..dot\r\n';

describe('the agent', () => {
  it('EX-8 CMD-DATA-6 TRC-1 takes a message for two mailboxes and delivers the same text to both', async () => {
    await using test = await startTestAgent();
    const replies = await talk(test.port, [
      { send: 'HELO relay.example.com\r\n', replies: 1 },
      { send: 'MAIL FROM:<bob@example.com>\r\n', replies: 1 },
      { send: 'RCPT TO:<alice@example.org>\r\n', replies: 1 },
      { send: 'RCPT TO:<theboss@example.org>\r\n', replies: 1 },
      { send: 'DATA\r\n', replies: 1 },
      { send: `${text}.\r\n`, replies: 1 },
      { send: 'QUIT\r\n', replies: 1 },
    ]);
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['220', '250', '250', '250', '250', '354', '250', '221']);
    expect(replies[6]).toMatch(/^250 2\.0\.0 Ok: queued as [A-Za-z0-9]+$/);
    const [alice] = await mailIn(test, 'alice', 1);
    const [boss] = await mailIn(test, 'theboss', 1);
    expect(alice).toMatch(/^Return-Path: <bob@example.com>\nDelivered-To: alice@example.org\nReceived: from relay.example.com \(\[127.0.0.1\]\)\n\tby mx.example.org with SMTP id [A-Za-z0-9]+;\n\t.+ [+-]\d{4}\nFrom: /);
    const body = text.replaceAll('\r\n', '\n').replace('..dot', '.dot');
    expect(alice?.endsWith(body)).toBe(true);
    expect(boss).toBe(alice?.replace('Delivered-To: alice@', 'Delivered-To: theboss@'));
  });
});
