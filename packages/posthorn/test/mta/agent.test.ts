import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mailIn, startTestAgent, talk } from './fixture.ts';

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
    expect(alice).toMatch(
      /^Return-Path: <bob@example.com>\nDelivered-To: alice@example.org\nReceived: from relay.example.com \(\[127.0.0.1\]\)\n\tby mx.example.org with SMTP id [A-Za-z0-9]+;\n\t.+ [+-]\d{4}\nFrom: /,
    );
    const body = text.replaceAll('\r\n', '\n').replace('..dot', '.dot');
    expect(alice?.endsWith(body)).toBe(true);
    expect(boss).toBe(alice?.replace('Delivered-To: alice@', 'Delivered-To: theboss@'));
  });

  it('EX-1 CMD-RCPT-1 CMD-RCPT-3 refuses one recipient and serves the two others', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: { 'beta.arpa': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['jones', 'brown'] } },
    }));
    const replies = await talk(test.port, [
      { send: 'EHLO alpha.arpa\r\n', replies: 1 },
      { send: 'MAIL FROM:<Smith@Alpha.ARPA>\r\n', replies: 1 },
      { send: 'RCPT TO:<Jones@Beta.ARPA>\r\n', replies: 1 },
      { send: 'RCPT TO:<Green@Beta.ARPA>\r\n', replies: 1 },
      { send: 'RCPT TO:<Brown@Beta.ARPA>\r\n', replies: 1 },
      { send: 'DATA\r\n', replies: 1 },
      { send: 'Blah blah blah...\r\n...etc. etc. etc.\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.slice(2, 6).map((line) => line.slice(0, 9))).toEqual([
      '250 2.1.0',
      '250 2.1.5',
      '550 5.1.1',
      '250 2.1.5',
    ]);
    await mailIn(test, 'jones', 1);
    await mailIn(test, 'brown', 1);
    expect(await readdir(join(test.folder, 'mail'))).toHaveLength(2);
  });

  it('CMD-RCPT-4 SEC-2505 ENH-7/5.7.1 is no open relay by default, whatever form the address has', async () => {
    await using test = await startTestAgent();
    const tricks = ['u@far.example', '@example.org:u@far.example', 'u@[192.0.2.1]'];
    const replies = await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      { send: 'MAIL FROM:<a@example.org>\r\n', replies: 1 },
      ...tricks.map((path) => ({ send: `RCPT TO:<${path}>\r\n`, replies: 1 })),
    ]);
    expect(replies.slice(3).map((line) => line.slice(0, 9))).toEqual(tricks.map(() => '550 5.7.1'));
  });

  it('ADR-10 gives %-hacks and bang paths no way out: they are mailboxes that do not exist', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob'] } },
    }));
    const replies = await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      { send: 'MAIL FROM:<a@x.example>\r\n', replies: 1 },
      { send: 'RCPT TO:<user%far.example@example.org>\r\n', replies: 1 },
      { send: 'RCPT TO:<far!user@example.org>\r\n', replies: 1 },
    ]);
    expect(replies.slice(3).map((line) => line.slice(0, 9))).toEqual(['550 5.1.1', '550 5.1.1']);
  });

  it('ADR-16 LOC-4 accepts postmaster in any case, with and without a domain', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob'] } },
      postmaster: 'bob@example.org',
    }));
    const replies = await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      {
        send: 'MAIL FROM:<a@x.example>\r\nRCPT TO:<PostMaster>\r\nRCPT TO:<POSTMASTER@example.org>\r\nDATA\r\n',
        replies: 4,
      },
      { send: 'Subject: x\r\n\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['220', '250', '250', '250', '250', '354', '250']);
    await mailIn(test, 'bob', 1);
  });

  it('CMD-DATA-12 CLI-LOOP-1 refuses a message with a hundred Received fields', async () => {
    await using test = await startTestAgent();
    const hops = (count: number) => 'Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\r\n'.repeat(count);
    const envelope = 'MAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n';
    const replies = await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      { send: envelope, replies: 3 },
      { send: `${hops(100)}\r\n.\r\n`, replies: 1 },
      { send: envelope, replies: 3 },
      { send: `${hops(99)}\r\n.\r\n`, replies: 1 },
    ]);
    expect(replies[5]).toMatch(/^554 5\.4\.6/);
    expect(replies[9]).toMatch(/^250 2\.0\.0/);
    expect(test.agent.store.count()).toBeLessThanOrEqual(1);
  });

  it('CMD-RCPT-12 delivers one copy for a recipient that was given twice', async () => {
    await using test = await startTestAgent();
    await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      {
        send: 'MAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<Bob@Example.org>\r\nDATA\r\n',
        replies: 4,
      },
      { send: 'Subject: x\r\n\r\n.\r\n', replies: 1 },
    ]);
    await mailIn(test, 'bob', 1);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    expect(await readdir(join(test.folder, 'mail'))).toEqual(['bob']);
  });

  it('LOC-AL-1 LOC-3 expands aliases of aliases, without doubles, and keeps the detail of plus addressing', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: ['bob', 'carl'],
          aliases: { team: ['bob', 'leads'], leads: ['carl', 'bob'] },
        },
      },
    }));
    await talk(test.port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      {
        send: 'MAIL FROM:<a@x.example>\r\nRCPT TO:<team@example.org>\r\nRCPT TO:<carl+list@example.org>\r\nDATA\r\n',
        replies: 4,
      },
      { send: 'Subject: x\r\n\r\n.\r\n', replies: 1 },
    ]);
    await mailIn(test, 'bob', 1);
    const mails = await mailIn(test, 'carl', 2);
    expect(mails.filter((mail) => mail.includes('Delivered-To: carl+list@example.org\n'))).toHaveLength(1);
  });

  it('DSN-1 DSN-3 DSN-5 DSN-17 CMD-DATA-8 ENH-1/5.1.2 reports a route that leads nowhere to the sender, who is here', async () => {
    await using test = await startTestAgent(() => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: 'gone.example', to: 'error:5.1.2 The domain moved away' }],
    }));
    await talk(test.port, [
      { send: 'EHLO client.example\r\n', replies: 1 },
      {
        send: 'MAIL FROM:<ann@example.org> ENVID=QQ1+2B RET=HDRS\r\nRCPT TO:<u@gone.example> ORCPT=rfc822;U@gone.example\r\nDATA\r\n',
        replies: 3,
      },
      { send: 'Subject: secret plan\r\n\r\nbody\r\n.\r\n', replies: 1 },
    ]);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toMatch(/^Return-Path: <>\n/);
    expect(report).toContain('report-type=delivery-status');
    for (const line of [
      'Auto-Submitted: auto-replied',
      'Reporting-MTA: dns; mx.example.org',
      'Original-Envelope-Id: QQ1+',
      'Original-Recipient: rfc822;U@gone.example',
      'Final-Recipient: rfc822; u@gone.example',
      'Action: failed',
      'Status: 5.1.2',
      'Subject: secret plan',
    ]) {
      expect(report).toContain(`\n${line}`);
    }
    expect(report).not.toContain('\nbody');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('EX-6 DSN-2 takes mail with the null reverse-path and a source route, and makes no report when it fails', async () => {
    await using test = await startTestAgent(() => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: 'hostw.arpa', to: 'error:5.1.1 No such user' }],
    }));
    const replies = await talk(test.port, [
      { send: 'EHLO hosty.arpa\r\n', replies: 1 },
      { send: 'MAIL FROM:<>\r\nRCPT TO:<@HOSTX.ARPA:JOE@HOSTW.ARPA>\r\nDATA\r\n', replies: 3 },
      { send: 'Date: 23 Oct 81 11:22:33\r\nFrom: SMTP@HOSTY.ARPA\r\n\r\nBLF: 550 No Such User\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['220', '250', '250', '250', '354', '250']);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    const failed = () => test.log.lines.filter(({ text }) => text === 'failed').map(({ fields }) => fields);
    await expect.poll(failed).toMatchObject([{ to: 'JOE@HOSTW.ARPA', status: '5.1.1' }]);
    expect(await readdir(join(test.folder, 'mail')).catch(() => [])).toEqual([]);
  });

  it('GEN-23 EX-13 takes nothing of a message whose connection is cut before the end, and all of one that is cut after it', async () => {
    await using test = await startTestAgent();
    const envelope = 'MAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n';
    const begin = [
      { send: 'EHLO x.example\r\n', replies: 1 },
      { send: envelope, replies: 3 },
    ];
    await talk(test.port, [...begin, { send: 'Subject: cut\r\n\r\nnot all', replies: 0 }]);
    await talk(test.port, [...begin, { send: 'Subject: whole\r\n\r\nall\r\n.\r\n', replies: 0 }]);
    const [mail] = await mailIn(test, 'bob', 1);
    expect(mail).toContain('Subject: whole');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });
});
