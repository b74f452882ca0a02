import type { Reply } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, talk } from './fixture.ts';
import { logIn, openSession, startSubmission, submit } from './submission-agent.ts';

const bob = ['bob@example.org'];
const accepted = expect.stringMatching(/^accepted 250/);
const header = (...lines: readonly string[]) => ['Subject: x', ...lines];

describe('the header of a submission', () => {
  it('SUB-7 CMD-DATA-11 is completed and loses Bcc, while that of other mail stays as it is', async () => {
    await using agent = await startSubmission();
    const lines = header('From: alice@example.org', 'Bcc: eve@example.org', 'To: bob@example.org');
    expect(
      await submit(agent.submission, { user: 'alice', from: 'alice@example.org', to: bob, header: lines }),
    ).toEqual([accepted]);
    const [mail = ''] = await mailIn(agent.test, 'bob', 1);
    expect(mail).toMatch(
      /\nSubject: x\nFrom: alice@example\.org\nTo: bob@example\.org\nDate: .+ [+-]\d{4}\nMessage-ID: <[A-Za-z0-9]+@mx\.example\.test>\n\nHello\n$/,
    );
    expect(mail).not.toContain('MIME-Version');
    const odd = 'Bcc: x@y.test\r\nTo: @@\r\nTo: b\r\nMessage-ID: none\r\nno field at all\r\n\r\nHello\r\n.\r\n';
    const replies = await talk(agent.mx, [
      { send: 'EHLO c.example\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<carl@example.org>\r\nDATA\r\n', replies: 4 },
      { send: odd, replies: 1 },
    ]);
    expect(replies.at(-1)).toMatch(/^250 2\.0\.0 /);
    const [relayed = ''] = await mailIn(agent.test, 'carl', 1);
    expect(relayed).toContain(odd.slice(0, -3).replaceAll('\r\n', '\n'));
  });

  it.each([
    ['no From', header('To: bob@example.org')],
    ['two From fields', header('From: alice@example.org', 'From: alice@example.org')],
    ['two dates', header('From: alice@example.org', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Date: now')],
    ['two To fields', header('From: alice@example.org', 'To: a@x.test', 'To: b@x.test')],
    ['several authors and no Sender', header('From: alice@example.org, bob@example.org')],
    ['a malformed address', header('From: alice@example.org', 'Cc: <b@x.test')],
    ['a domain of one label', header('From: alice@example.org', 'To: bob@sales')],
  ])('SUB-4 SUB-6 SUB-8 SUB-10 earns 554 5.6.0 for %s', async (_, lines) => {
    await using agent = await startSubmission();
    const sent = { user: 'alice', from: 'alice@example.org', to: bob, header: lines };
    expect(await submit(agent.submission, sent)).toEqual(['refused 554 5.6.0']);
    expect(agent.test.agent.store.count()).toBe(0);
  });

  it('SUB-5 SUB-6 earns 550 5.7.1 when the login does not own From', async () => {
    await using agent = await startSubmission();
    const sent = { user: 'alice', from: '', to: bob, header: header('From: eve@example.org') };
    expect(await submit(agent.submission, sent)).toEqual(['refused 550 5.7.1']);
    expect(await submit(agent.submission, { ...sent, header: header('From: Sales@EXAMPLE.org') })).toEqual([accepted]);
  });

  it('SUB-7 names a submitter whose address is known and not in From', async () => {
    await using agent = await startSubmission();
    const lines = header('From: boss@example.org');
    const sent = { from: 'bob@example.org', to: bob, header: lines };
    expect(await submit(agent.submission, { ...sent, user: 'bob@example.org' })).toEqual([accepted]);
    expect((await mailIn(agent.test, 'bob', 1))[0]).toContain('\nSender: bob@example.org\n');
  });

  it('SUB-8 earns 552 when it is longer than can be held, and the session goes on', async () => {
    await using agent = await startSubmission();
    await using connection = await logIn(agent.submission, 'alice');
    const envelope = { from: 'alice@example.org', to: bob };
    const long = Buffer.from(`From: alice@example.org\r\n${'X: y\r\n'.repeat(200_000)}\r\nHello\r\n`);
    expect((await connection.send({ envelope, text: long })).recipients).toMatchObject([
      { kind: 'refused', reply: { code: 552, status: '5.3.4' } },
    ]);
    const good = Buffer.from('From: alice@example.org\r\n\r\nHello\r\n');
    expect(await connection.send({ envelope, text: good })).toMatchObject({ ok: true });
  });
});

describe('a submission', () => {
  it('SUB-4 ENH-1/5.1.8 has domains in full: single labels are completed by rule alone, partial names never', async () => {
    await using dns = await startDnsServer({ zone: { org: {}, 'example.net': {}, net: {}, 'far.example.net': {} } });
    await using strict = await startSubmission();
    expect(await submit(strict.submission, { user: 'free', from: 'ann@sales', to: bob })).toEqual([
      'refused 554 5.1.8',
    ]);
    expect(await submit(strict.submission, { user: 'alice', from: '', to: ['bob@sales'] })).toEqual([
      'refused 554 5.1.2',
    ]);
    await using agent = await startSubmission({
      submission: { completeDomain: 'example.org' },
      domains: {
        'example.org': { deliver: 'discard:', mailboxes: ['alice'] },
        'sales.example.org': { deliver: 'discard:', mailboxes: ['bob'] },
      },
      dns: { servers: [dns.address] },
    });
    const from = 'alice@example.org';
    const partial = 'far@squeaky.sales';
    const to = ['bob@sales', 'x@far.example.net', partial];
    expect(
      await submit(agent.submission, { user: 'alice', from, to, header: header('From: alice', 'To: bob@sales') }),
    ).toEqual([accepted, accepted, 'refused 554 5.1.2']);
    await expect.poll(() => agent.hop.takenFor('x@far.example.net')).toHaveLength(1);
    const text = String(agent.hop.takenFor('x@far.example.net')[0]?.text);
    expect(text).toContain('From: alice@example.org\r\nTo: bob@sales.example.org\r\n');
    const sent = { user: 'alice', from, to: ['bob@sales'] };
    expect(await submit(agent.submission, { ...sent, header: header('From: alice', `To: ${partial}`) })).toEqual([
      'refused 554 5.6.0',
    ]);
    expect(await submit(agent.submission, { user: 'free', from: partial, to: ['bob@sales'] })).toEqual([
      'refused 554 5.1.8',
    ]);
    expect(
      (await talk(agent.mx, [{ send: 'EHLO c.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@sales>\r\n', replies: 3 }])).at(
        -1,
      ),
    ).toMatch(/^550 5\.7\.1 /);
  });

  it('SUB-10 SUB-6 has sound addresses: others earn a reply at their command', async () => {
    await using dns = await startDnsServer({ zone: { 'there.example': { mx: [[10, 'mx.there.example']] } } });
    await using agent = await startSubmission({ routes: [], dns: { servers: [dns.address] } });
    const connection = await openSession(agent.submission, 'alice');
    const say = async (line: string) => {
      const { code, status } = await connection.command(line);
      return `${code} ${status}`;
    };
    expect(await say('MAIL FROM:<alice@>')).toBe('501 5.1.7');
    expect(await say('MAIL FROM:<alice@example.org>')).toBe('250 2.1.0');
    expect(await say('RCPT TO:<bob@x..y>')).toBe('501 5.1.3');
    expect(await say('RCPT TO:<bob@nowhere.example>')).toBe('550 5.1.2');
    expect(await say('RCPT TO:<nobody@mx.example.test>')).toBe('550 5.1.1');
    expect(await say('RCPT TO:<bob@there.example>')).toBe('250 2.1.5');
    expect(await say('BURL imap://alice@mail.example.org/Drafts LAST')).toBe('502 5.5.1');
  });

  it('SUB-16 is refused at MAIL when nobody could be told what became of it, and its faults are in the log', async () => {
    await using dns = await startDnsServer({ zone: { 'there.example': {} } });
    await using agent = await startSubmission({
      domains: { 'example.org': { deliver: 'discard:', mailboxes: ['alice'] } },
      routes: [],
      dns: { servers: [dns.address] },
    });
    const sent = { user: 'free', to: ['alice@example.org'], header: header('From: x@there.example') };
    expect(await submit(agent.submission, { ...sent, from: 'x@nowhere.example' })).toEqual(['refused 550 5.1.8']);
    expect(await submit(agent.submission, { ...sent, from: 'x@example.org' })).toEqual(['refused 550 5.1.8']);
    expect(await submit(agent.submission, { ...sent, from: 'x@there.example' })).toEqual([accepted]);
    expect(await submit(agent.submission, { ...sent, from: '' })).toEqual([accepted]);
    const faults = () => agent.test.log.lines.filter(({ text }) => text === 'the client was refused');
    await expect.poll(faults).toHaveLength(2);
    expect(faults()[0]?.fields).toMatchObject({
      client: '127.0.0.1',
      login: 'free',
      faults: 3,
      first: '550 Nobody could be told what becomes of this message: the sender does not exist',
    });
  });

  it('SUB-11 can be traced from its queue id to its login', async () => {
    await using agent = await startSubmission();
    await submit(agent.submission, { user: 'alice', from: 'alice@example.org', to: bob });
    const [mail = ''] = await mailIn(agent.test, 'bob', 1);
    const id = /with ESMTPSA id (\w+)/.exec(mail)?.[1];
    expect(agent.test.log.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ id, login: 'alice' }), text: 'queued' }),
    );
  });

  it('TRC-8 hides where its author sits, if the configuration says so', async () => {
    await using agent = await startSubmission({ submission: { hideClient: true } });
    await submit(agent.submission, { user: 'alice', from: 'alice@example.org', to: bob });
    const [mail = ''] = await mailIn(agent.test, 'bob', 1);
    expect(mail).toMatch(/Received: from unknown\n\tby mx\.example\.test with ESMTPSA/);
    expect(mail).not.toMatch(/127\.0\.0\.1|client\.example/);
  });

  it('SUB-11 is one of as many as its login may send in an hour, over all of its sessions', async () => {
    let time = Date.UTC(2026, 10, 21, 10);
    await using agent = await startSubmission(
      { limits: { loginMessages: 2, loginRecipients: 4 } },
      { now: () => time },
    );
    const sent = { user: 'alice', from: 'alice@example.org', to: bob };
    expect(await submit(agent.submission, { ...sent, to: ['bob@example.org', 'c@example.org'] })).toHaveLength(2);
    expect(
      await submit(agent.submission, { ...sent, to: ['a@example.org', 'b@example.org', 'c@example.org'] }),
    ).toEqual([accepted, accepted, 'deferred 452 4.7.28']);
    expect(await submit(agent.submission, sent)).toEqual(['deferred 450 4.7.28']);
    expect(await submit(agent.submission, { ...sent, user: 'free' })).toEqual([accepted]);
    time += 30 * 60_000;
    expect(await submit(agent.submission, sent)).toEqual([accepted]);
    const session = await openSession(agent.submission, 'alice');
    const replies: string[] = [];
    while (session.usable) {
      const line = session.command('MAIL FROM:<alice@example.org>');
      const { code, status } = await line.catch(({ reply }: { reply: Reply }) => reply);
      replies.push(`${code} ${status}`);
    }
    expect(replies).toEqual([...Array(20).fill('450 4.7.28'), '421 4.7.0']);
  });

  it('SUB-13 is offered what it needs, and neither ETRN nor ATRN', async () => {
    await using agent = await startSubmission();
    const connection = await openSession(agent.submission, 'alice');
    const offered = [...connection.capabilities.offered];
    expect(offered).toEqual(
      expect.arrayContaining([
        'PIPELINING',
        'ENHANCEDSTATUSCODES',
        'DSN',
        '8BITMIME',
        'SIZE',
        'CHUNKING',
        'BINARYMIME',
        'SMTPUTF8',
        'LIMITS',
        'AUTH',
      ]),
    );
    expect(offered).not.toContain('ETRN');
    expect(offered).not.toContain('ATRN');
    expect(await connection.command('ETRN example.org')).toMatchObject({ code: 502 });
    const [, ehlo] = await talk(agent.submission, [{ send: 'EHLO c.example\r\n', replies: 1 }]);
    expect(ehlo).toMatch(/^250 /);
  });
});
