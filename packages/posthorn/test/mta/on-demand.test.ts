import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, talk } from './fixture.ts';
import { leaveMail, loggedIn, logIn, secret, secured, serveTurned, startProvider } from './on-demand-agents.ts';
import { tlsIn } from './tls-in.ts';

const dora = '<dora@example.edu>';
const order = 'Subject: order 17\r\n\r\nTwo crates, please.\r\n';

describe('mail that is fetched', () => {
  it('CMD-ATRN-3 CMD-ATRN-5 REP-250 EX-14 goes out over the connection that asked for it, and no other', async () => {
    await using provider = await startProvider();
    await leaveMail(
      provider,
      { from: dora, to: ['<sales@shop.example.com>', '<gone@shop.example.com>', '<x@else.example.org>'], text: order },
      { from: dora, to: ['<ann@branch.example.org>'], text: 'Subject: second\r\n\r\nx\r\n' },
      { from: dora, to: ['<y@else.example.org>'], text: 'Subject: foreign\r\n\r\nx\r\n' },
    );
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN branch.example.org,SHOP.example.com')).toMatch(/^250 2\.0\.0 /);
    const { commands, texts } = await serveTurned(client, (line) =>
      line.includes('gone@') ? '550 5.1.1 No such mailbox' : undefined,
    );
    expect(commands[0]).toBe('EHLO odmr.example.net');
    expect(commands.filter((line) => line.startsWith('RCPT')).sort()).toEqual([
      'RCPT TO:<ann@branch.example.org>',
      'RCPT TO:<gone@shop.example.com>',
      'RCPT TO:<sales@shop.example.com>',
    ]);
    expect(texts).toHaveLength(2);
    expect(texts.join()).not.toContain('foreign');
    const [report] = await mailIn(provider, 'dora', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; gone@shop.example.com\n');
    expect(report).toContain('\nStatus: 5.1.1\n');
    expect([...provider.agent.store.waitingFor({ domain: 'shop.example.com' })]).toEqual([]);
    expect([...provider.agent.store.waitingFor({ domain: 'else.example.org' })]).toHaveLength(2);
    await expect.poll(() => provider.agent.sessions()).toBe(0);
  });

  it('CMD-ATRN-4 CMD-ATRN-2 REP-450 REP-453 REP-501 REP-530 EX-14 is given to nobody without the right to all of it', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>', '<x@else.example.org>'], text: order });
    const replies = await talk(provider.odmr, [
      { send: 'EHLO mail.branch.example.org\r\n', replies: 1 },
      { send: 'ATRN branch.example.org\r\n', replies: 1 },
    ]);
    expect(replies[2]).toMatch(/^530 5\.7\.0 /);
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN branch.example.org,else.example.org')).toMatch(/^450 4\.7\.1 /);
    expect(await client.say('ATRN shop.example.com')).toMatch(/^453 4\.2\.0 /);
    expect(await client.say('ATRN localhost')).toMatch(/^501 5\.5\.4 /);
    expect(await client.say('QUIT')).toMatch(/^221 2\.0\.0 /);
    const idle = await loggedIn(provider.odmr, 'idle');
    expect(await idle.say('ATRN')).toMatch(/^450 4\.7\.1 /);
  });

  it('CMD-ATRN-2 is that of all domains of the login when none is named', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>', '<b@shop.example.com>'], text: order });
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN')).toMatch(/^250 /);
    const { commands } = await serveTurned(client);
    expect(commands.filter((line) => line.startsWith('RCPT')).sort()).toEqual([
      'RCPT TO:<a@branch.example.org>',
      'RCPT TO:<b@shop.example.com>',
    ]);
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-4 REP-451 EX-14 is not given while it cannot be read who may fetch it', async () => {
    await using provider = await startProvider((folder) => ({ odmr: { domainsFile: join(folder, 'rights') } }));
    await leaveMail(provider, { from: dora, to: ['<x@else.example.org>'], text: order });
    const client = await loggedIn(provider.odmr, 'idle');
    expect(await client.say('ATRN')).toMatch(/^451 4\.3\.0 /);
    writeFileSync(
      join(provider.folder, 'rights'),
      '# who owns what\nbranch a.example\nidle\telse.example.org, b.example\n',
    );
    expect(await client.say('ATRN a.example')).toMatch(/^450 4\.7\.1 /);
    expect(await client.say('ATRN else.example.org,b.example')).toMatch(/^250 /);
    expect((await serveTurned(client)).texts).toHaveLength(1);
    rmSync(join(provider.folder, 'rights'));
    const again = await loggedIn(provider.odmr, 'idle');
    expect(await again.say('ATRN')).toMatch(/^451 4\.3\.0 /);
  });

  it('CMD-ATRN-3 REP-453 is there from the moment on that it is taken', async () => {
    await using provider = await startProvider(() => ({ odmr: { requestsPerMinute: 100 } }));
    for (let round = 0; round < 20; round += 1) {
      const client = await loggedIn(provider.odmr);
      const [reply] = await sendMail(provider.port, { from: dora, to: ['<a@branch.example.org>'], text: order });
      expect(reply).toMatch(/^250 /);
      expect(await client.say('ATRN')).toMatch(/^250 /);
      expect((await serveTurned(client)).texts).toHaveLength(1);
      await client.closed();
      await expect.poll(() => provider.agent.store.count()).toBe(0);
    }
  });

  it('CMD-ATRN-4 is refused to who asks too often', async () => {
    await using provider = await startProvider(() => ({ odmr: { requestsPerMinute: 2 } }));
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN')).toMatch(/^453 /);
    expect(await client.say('ATRN')).toMatch(/^453 /);
    expect(await client.say('ATRN')).toMatch(/^450 4\.7\.1 /);
  });

  it('CMD-ATRN-5 REP-450 stays queued after a 4yz, and is not sent twice over one connection', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>', '<b@shop.example.com>'], text: order });
    const client = await loggedIn(provider.odmr);
    await client.say('ATRN');
    const { commands } = await serveTurned(client, (line) =>
      line.startsWith('RCPT') ? '450 4.2.1 Not now' : undefined,
    );
    expect(commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(2);
    const again = await loggedIn(provider.odmr);
    expect(await again.say('ATRN')).toMatch(/^250 /);
    expect((await serveTurned(again)).texts).toHaveLength(2);
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-5 stays queued when the connection is cut in any state', async () => {
    await using provider = await startProvider(() => ({ odmr: { requestsPerMinute: 100 } }));
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    for (const at of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'text']) {
      const client = await loggedIn(provider.odmr);
      expect(await client.say('ATRN'), at).toMatch(/^250 /);
      if (at === 'greeting') client.destroy();
      else {
        const cut = (line: string) => {
          if (line.startsWith(at)) client.destroy();
          return undefined;
        };
        await expect(serveTurned(client, cut)).rejects.toThrow();
      }
      await expect.poll(() => provider.agent.sessions()).toBe(0);
      await expect.poll(() => [...provider.agent.store.waitingFor({ domain: 'branch.example.org' })]).toHaveLength(1);
    }
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN')).toMatch(/^250 /);
    expect((await serveTurned(client)).texts).toHaveLength(1);
  });

  it('CMD-ATRN-5 stays queued when the customer refuses all of it, or talks nonsense without end', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    for (const greeting of [
      '554 No service\r\n',
      '421 Later\r\n',
      `220-${'x'.repeat(500)}\r\n`.repeat(2000),
      'GET / HTTP/1.1\r\n',
    ]) {
      const client = await loggedIn(provider.odmr);
      expect(await client.say('ATRN')).toMatch(/^250 /);
      client.send(greeting);
      await client.closed();
      await expect.poll(() => provider.agent.sessions()).toBe(0);
    }
    expect([...provider.agent.store.waitingFor({ domain: 'branch.example.org' })]).toHaveLength(1);
    await mailIn(provider, 'dora', 0);
  });

  it('CMD-ATRN-5 is taken back from a customer that turns the connection and never speaks', async () => {
    await using provider = await startProvider(() => ({ limits: { sessionTime: '1s' } }));
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN')).toMatch(/^250 /);
    await client.closed();
    await expect.poll(() => provider.agent.sessions()).toBe(0);
    expect([...provider.agent.store.waitingFor({ domain: 'branch.example.org' })]).toHaveLength(1);
  });

  it('CMD-ATRN-7 is not led astray by what is sent behind the command', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const client = await loggedIn(provider.odmr);
    client.send('ATRN\r\n250 forged\r\nQUIT\r\n');
    expect(await client.reply()).toMatch(/^250 2\.0\.0 /);
    expect((await serveTurned(client)).texts).toHaveLength(1);
  });

  it('CMD-ATRN-5 is given to one connection of a login at a time, and to no other login', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const [first, second] = [await loggedIn(provider.odmr), await loggedIn(provider.odmr)];
    expect(await first.say('ATRN')).toMatch(/^250 /);
    expect(await second.say('ATRN')).toMatch(/^450 4\.7\.1 /);
    expect((await serveTurned(first)).texts).toHaveLength(1);
    await expect.poll(() => second.say('ATRN')).toMatch(/^453 /);
  });

  it('CMD-ATRN-5 comes back when its time in the queue is over, and its sender hears of the wait before', async () => {
    let time = Date.UTC(2026, 10, 21, 10);
    await using provider = await startProvider(
      () => ({ queue: { retry: ['1h'], delayWarningAfter: '4h', lifetime: '2d' } }),
      { now: () => time },
    );
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    time += 5 * 3_600_000;
    provider.agent.wake();
    const [warning] = await mailIn(provider, 'dora', 1);
    expect(warning).toContain('\nAction: delayed\n');
    time += 3 * 86_400_000;
    provider.agent.wake();
    const reports = await mailIn(provider, 'dora', 2);
    expect(reports.join()).toContain('\nAction: failed\n');
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-5 survives a stop in the midst of it', async () => {
    const provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const client = await loggedIn(provider.odmr);
    expect(await client.say('ATRN')).toMatch(/^250 /);
    client.send('220 mail.branch.example.org ready\r\n');
    expect(await client.line()).toMatch(/^EHLO /);
    await provider.agent.close({ grace: 0 });
    expect(await client.closed()).toBe('');
    expect(provider.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await provider[Symbol.asyncDispose]();
  });

  it('CMD-AUTH-11 CMD-AUTH-15 CMD-AUTH-18 lets in who knows the secret or is in the network, and nobody else', async () => {
    await using provider = await startProvider(() => ({}));
    const client = await loggedIn(provider.odmr);
    await client.say('QUIT');
    for (const [user, password] of [
      ['branch', 'wrong'],
      ['nobody', secret],
      ['nobody', '\0'],
    ] as const) {
      await expect(loggedIn(provider.odmr, user, password)).rejects.toThrow(/^535 5\.7\.8/);
    }
    const stranger = await talk(provider.odmr, [
      { send: 'EHLO x.test\r\n', replies: 1 },
      { send: 'AUTH EXTERNAL =\r\n', replies: 1 },
      { send: 'AUTH EXTERNAL YnJhbmNo\r\n', replies: 1 },
      { send: 'AUTH PLAIN AGJyYW5jaAB1bnVzZWQ=\r\n', replies: 1 },
    ]);
    expect(stranger.slice(2).map((line) => line.slice(0, 9))).toEqual(['535 5.7.8', '535 5.7.8', '504 5.5.4']);
    const lines = JSON.stringify(provider.log.lines);
    expect(lines).not.toContain(secret);
  });

  it('CMD-AUTH-15 takes a network for a login where the configuration says so', async () => {
    await using provider = await startProvider(() => ({}));
    const password = provider.config.users.branch?.password ?? '';
    await using known = await startProvider(() => ({
      users: {
        branch: { password, atrnDomains: ['branch.example.org'], networks: ['127.0.0.0/8'] },
        far: { password, atrnDomains: ['branch.example.org'], networks: ['192.0.2.0/24'] },
      },
    }));
    const said = await talk(known.odmr, [
      { send: 'EHLO x.test\r\n', replies: 1 },
      { send: 'AUTH EXTERNAL ZmFy\r\n', replies: 1 },
      { send: 'AUTH EXTERNAL\r\n', replies: 1 },
      { send: 'YnJhbmNo\r\n', replies: 1 },
      { send: 'ATRN\r\n', replies: 1 },
    ]);
    expect(said.slice(2).map((line) => line.slice(0, 3))).toEqual(['535', '334', '235', '453']);
  });

  it('CMD-TURN-1 CMD-TURN-2 REP-502 is given by TURN only where that is configured, within TLS, to a login', async () => {
    await using off = await startProvider();
    expect(
      (
        await talk(off.port, [
          { send: 'EHLO x.test\r\n', replies: 1 },
          { send: 'TURN\r\n', replies: 1 },
        ])
      )[2],
    ).toMatch(/^502 5\.5\.1/);
    await using provider = await startProvider((folder) => {
      const listeners = [{ role: 'mx' as const, host: '127.0.0.1', port: 0, mechanisms: ['CRAM-MD5' as const] }];
      return { turn: true, tls: tlsIn(folder), listeners };
    });
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const clear = await loggedIn(provider.port);
    expect(await clear.say('TURN')).toMatch(/^502 5\.5\.1/);
    expect(await clear.say('ATRN')).toMatch(/^502 5\.5\.1/);
    const client = await secured(provider.port);
    expect(await client.say('TURN')).toMatch(/^502 5\.5\.1/);
    await logIn(client);
    expect(await client.say('MAIL FROM:<ann@branch.example.org>', 'TURN')).toMatch(/^503 5\.5\.1/);
    expect(await client.say('RSET', 'TURN')).toMatch(/^250 2\.0\.0/);
    expect((await serveTurned(client)).texts).toHaveLength(1);
    const empty = await secured(provider.port);
    await logIn(empty);
    await expect.poll(() => empty.say('TURN')).toMatch(/^250 2\.0\.0/);
    expect((await serveTurned(empty)).commands).toEqual(['EHLO odmr.example.net', 'QUIT']);
  });

  it('CMD-ATRN-1 CMD-ATRN-2 may be fetched beside mail that comes in, where a login is possible', async () => {
    await using provider = await startProvider((folder) => ({
      tls: tlsIn(folder),
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0, mechanisms: ['CRAM-MD5'] },
        { role: 'odmr', host: '127.0.0.1', port: 0 },
      ],
    }));
    await leaveMail(provider, { from: dora, to: ['<a@branch.example.org>'], text: order });
    const client = await secured(provider.odmr);
    const offer = await client.say('EHLO x.test');
    expect(offer).toMatch(/^250-AUTH CRAM-MD5 PLAIN LOGIN$/m);
    expect(offer).toMatch(/^250[ -]ATRN$/m);
    const mx = await secured(provider.port);
    expect(await mx.say('ATRN')).toMatch(/^530 5\.7\.0/);
    await logIn(mx);
    expect(await mx.say('MAIL FROM:<a@example.edu>', 'ATRN')).toMatch(/^503 5\.5\.1/);
    expect(await mx.say('RSET', 'ATRN')).toMatch(/^250 2\.0\.0/);
    expect((await serveTurned(mx)).texts).toHaveLength(1);
  });
});
