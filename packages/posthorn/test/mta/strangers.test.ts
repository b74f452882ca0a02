import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatMessage } from '../../src/cli/queue-format.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, startTestAgent, type TestAgent } from './fixture.ts';

const stranger = '192.0.2.7';
const minute = 60_000;

/** An agent that is told by a proxy who its client is. */
function startAgent(filters: ConfigInput['filters'], more: Partial<ConfigInput> = {}, now?: () => number) {
  const change = () => ({
    listeners: [{ role: 'mx' as const, host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.1'] }],
    ...(filters === undefined ? {} : { filters }),
    ...more,
  });
  return startTestAgent(change, now === undefined ? {} : { now });
}

interface Dialogue {
  readonly from?: string;
  readonly hello?: string;
  /** Lines that go out before the greeting is read. */
  readonly early?: string;
}

/** Says lines one by one as a client of an address, and gives the last line of each reply, the greeting's first. */
function say({ port }: TestAgent, lines: readonly string[], { from = stranger, hello, early = '' }: Dialogue = {}) {
  const family = from.includes(':') ? 'TCP6' : 'TCP4';
  const all = hello === '' ? [...lines] : [`EHLO ${hello ?? 'client.example'}`, ...lines];
  return new Promise<string[]>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const replies: string[] = [];
    let text = '';
    socket.setEncoding('latin1').setTimeout(20_000, () => socket.destroy(new Error(replies.join(' | '))));
    socket.on('error', reject).on('close', () => resolve(replies));
    socket.write(`PROXY ${family} ${from} ${family === 'TCP4' ? '127.0.0.1' : '::1'} 4000 25\r\n${early}`);
    socket.on('data', (piece: string) => {
      const parts = (text + piece).split('\r\n');
      text = parts.pop() ?? '';
      for (const line of parts) {
        if (line[3] !== ' ') continue;
        replies.push(line);
        const next = all.shift();
        if (next === undefined) socket.end();
        else socket.write(`${next}\r\n`);
      }
    });
  });
}

const message = (to = '<bob@example.org>', from = '<ann@there.example>') => [
  `MAIL FROM:${from}`,
  `RCPT TO:${to}`,
  'DATA',
  'Subject: x\r\n\r\nHello\r\n.',
  'QUIT',
];
const codes = (replies: readonly string[]) => replies.map((reply) => reply.slice(0, 9).trim());

const zone: FixtureZone = {
  '2.0.0.127.bl.example': { a: ['127.0.0.2'] },
  'test.dom.example': { a: ['127.0.0.2'] },
  '7.2.0.192.bl.example': { a: ['127.0.0.4'], txt: ['it sent spam'] },
  'bad.example.dom.example': { a: ['127.0.0.2'] },
  'there.example': { mx: [[10, 'mx.there.example']] },
  'none.example': { mx: [[0, '.']] },
  'bad.example': { mx: [[10, 'mx.bad.example']] },
  '192.0.2.8': { ptr: ['mx.there.example'] },
  'mx.there.example': { a: ['192.0.2.8'] },
  '192.0.2.9': { fails: ['PTR'] },
  '9.2.0.192.bl.example': { fails: ['A'] },
  'trouble.example': { fails: ['MX'] },
};

describe('strangers that bring mail', () => {
  it('SEC-BL-1 SEC-2505 are refused when they are listed, with the reason in the reply and in the log', async () => {
    await using dns = await startDnsServer({ zone });
    await using agent = await startAgent(
      { dnsbl: [{ list: 'bl.example', refuse: true }] },
      { dns: { servers: [dns.address] } },
    );
    const replies = await say(agent, message());
    expect(replies[3]).toBe('550 5.7.1 192.0.2.7 is listed by bl.example: it sent spam');
    const line = agent.log.lines.find(({ text }) => text === 'refused');
    expect(line?.fields).toMatchObject({
      client: stranger,
      helo: 'client.example',
      from: 'ann@there.example',
      to: 'bob@example.org',
      said: expect.stringContaining('550 5.7.1'),
      why: expect.stringContaining('dnsbl bl.example: 192.0.2.7 is listed (127.0.0.4) (5)'),
    });
    // Who is listed by mistake can say so; who is not listed, known, or has logged in, is not refused.
    expect(codes(await say(agent, message('<Postmaster>')))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message(), { from: '192.0.2.8' }))[5]).toBe('250 2.0.0');
  });

  it('SEC-BL-1 SEC-RES-1 pass where the list is of no use, or cannot be asked; the log tells of it', async () => {
    const { '2.0.0.127.bl.example': _, ...useless } = zone;
    await using dns = await startDnsServer({ zone: useless });
    await using agent = await startAgent(
      { dnsbl: [{ list: 'bl.example', refuse: true }] },
      { dns: { servers: [dns.address] } },
    );
    expect(codes(await say(agent, message()))[5]).toBe('250 2.0.0');
    await expect.poll(() => agent.log.lines.map(({ fields }) => fields)).toContainEqual({ list: 'bl.example' });
  });

  it('are put off or refused by the sum of what is found, and what was found of others stands with the message', async () => {
    await using dns = await startDnsServer({ zone });
    await using agent = await startAgent(
      {
        dnsbl: [
          { list: 'bl.example', score: 3 },
          { list: 'dom.example', of: 'sender', score: 4 },
        ],
        reverseDns: 'score',
        helo: 'score',
        score: { defer: 6, refuse: 10 },
      },
      {
        dns: { servers: [dns.address] },
        routes: [{ domain: '*', to: 'smtp://127.0.0.1:9' }],
        domains: { 'example.org': { relay: true } },
      },
    );
    // Three for the list, two for no name in DNS, one for the name in EHLO.
    expect((await say(agent, message()))[3]).toBe('450 4.7.1 Put off by the policy of this host; try again later');
    const bad = message('<bob@example.org>', '<ann@bad.example>');
    expect((await say(agent, bad))[3]).toBe('550 5.7.1 Refused by the policy of this host');
    const whys = agent.log.lines.map(({ fields }) => (fields as { why?: string }).why).filter(Boolean);
    expect(whys[0]).toMatch(/^score 6: /);
    expect(whys[1]).toMatch(/^score 10: .*dnsbl dom\.example: bad\.example is listed/);
    expect(codes(await say(agent, bad, { from: '192.0.2.8', hello: 'mx.there.example' }))[5]).toBe('250 2.0.0');
    for await (const queued of agent.agent.store.list()) {
      expect(queued.envelope.judgement).toEqual({
        score: 4,
        findings: ['dnsbl dom.example: bad.example is listed (127.0.0.2) (4)'],
      });
      expect(formatMessage(queued, 0)).toMatch(/Found {6}dnsbl dom\.example: .*\nScore {6}4\n/);
    }
  });

  it('ENH-7d REP-550 SEC-2505-2 are refused for their domain or address, and only put off while DNS is in trouble', async () => {
    await using dns = await startDnsServer({ zone });
    await using agent = await startAgent(
      { reverseDns: 'refuse', senderDomain: 'refuse', helo: 'refuse' },
      { dns: { servers: [dns.address] } },
    );
    const good = { from: '192.0.2.8', hello: 'mx.there.example' };
    const to = '<bob@example.org>';
    expect(codes(await say(agent, message(), good))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message(to, '<>'), good))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message(to, '<a@none.example>'), good))[3]).toBe('550 5.7.2');
    expect((await say(agent, message(to, '<a@none.example>'), good))[3]).toContain('5.7.27');
    expect((await say(agent, message(to, '<a@absent.example>'), good))[3]).toContain('550 5.1.8');
    expect((await say(agent, message(to, '<a@trouble.example>'), good))[3]).toContain('450 4.1.8');
    expect((await say(agent, message()))[3]).toContain('550 5.7.25');
    expect((await say(agent, message(), { from: '192.0.2.9' }))[3]).toContain('450 4.7.25');
    expect((await say(agent, message(), { ...good, hello: 'mx.example.org' }))[3]).toContain('550 5.7.1 You are not');
  });

  it('SEC-GREY-1 REP-450 have to try again, and then pass; others need not', async () => {
    let now = Date.now();
    await using agent = await startAgent({ greylist: {}, exempt: ['198.51.100.0/24'] }, {}, () => now);
    const lines = ['MAIL FROM:<ann@there.example>', 'RCPT TO:<nobody@elsewhere.example>', 'RCPT TO:<bob@example.org>'];
    const first = await say(agent, [...lines, 'RCPT TO:<carol@example.org>', 'QUIT']);
    expect(first.slice(3, 6)).toEqual([
      expect.stringMatching(/^550 5\.7\.1/),
      '450 4.7.1 Greylisted; try again in 60 seconds',
      '450 4.7.1 Greylisted; try again in 60 seconds',
    ]);
    expect(
      agent.log.lines.filter(({ fields }) => (fields as { why?: string }).why?.startsWith('greylist')),
    ).toHaveLength(2);
    now += minute - 1000;
    expect((await say(agent, message()))[3]).toBe('450 4.7.1 Greylisted; try again in 1 seconds');
    now += 1000;
    expect(codes(await say(agent, message()))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message('<carol@example.org>', '<>')))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message(), { from: '198.51.100.9' }))[5]).toBe('250 2.0.0');
    expect(codes(await say(agent, message(), { from: '127.0.0.1' }))[5]).toBe('250 2.0.0');
    await mailIn(agent, 'bob', 3);
  });

  it('REP-421 ENH-7d SEC-RES-1 may connect, send and name recipients so often and no more', async () => {
    await using agent = await startAgent({ rates: { connections: 4, messages: 2, recipients: 3 } });
    const mail = ['MAIL FROM:<ann@there.example>', 'RSET', 'MAIL FROM:<ann@there.example>', 'RSET'];
    expect((await say(agent, [...mail, 'MAIL FROM:<ann@there.example>', 'QUIT']))[6]).toMatch(/^450 4\.7\.28 /);
    const other = { from: '198.51.100.7' };
    const rcpt = Array.from({ length: 4 }, (_, index) => `RCPT TO:<b${index}@example.org>`);
    const said = await say(agent, ['MAIL FROM:<ann@there.example>', ...rcpt, 'QUIT'], other);
    expect(codes(said).slice(3, 7)).toEqual(['250 2.1.5', '250 2.1.5', '250 2.1.5', '452 4.7.2']);
    for (let index = 0; index < 3; index += 1) await say(agent, ['QUIT']);
    expect(await say(agent, [])).toEqual(['421 4.7.0 Too many connections from your address; try again later']);
    expect(codes(await say(agent, message(), { from: '127.0.0.1' }))[5]).toBe('250 2.0.0');
  });

  it('SEC-2505 wait for the greeting, and are turned away when they do not', async () => {
    await using agent = await startAgent({ greetingDelay: '50ms' });
    const early = await say(agent, [], { hello: '', early: 'EHLO client.example\r\n' });
    expect(early).toEqual(['521 5.5.1 Talked before the greeting']);
    expect(codes(await say(agent, message()))[5]).toBe('250 2.0.0');
  });

  it('SEC-RES-1 SEC-2505 leave only so many lines in the log within a minute, whatever they do', async () => {
    let now = Date.now();
    await using agent = await startAgent({ rates: { connections: 1, messages: 1, recipients: 1 } }, {}, () => now);
    for (let count = 0; count < 210; count += 1) await say(agent, [], { hello: '' });
    const lines = () => agent.log.lines.filter(({ fields }) => (fields as { client?: string }).client === stranger);
    expect(lines()).toHaveLength(201);
    expect(lines().at(-1)?.text).toContain('no more of it is told');
    now += minute - 1;
    await say(agent, [], { hello: '' });
    now += minute;
    for (let count = 0; count < 2; count += 1) await say(agent, [], { hello: '' });
    expect(lines().length).toBeGreaterThan(201);
  });

  it('SEC-2505 leave a line in the log with each refusal, whoever refuses', async () => {
    await using agent = await startAgent(undefined);
    await say(agent, ['MAIL FROM:<>', 'RCPT TO:<someone@elsewhere.example>', 'QUIT']);
    expect(agent.log.lines.find(({ text }) => text === 'refused')?.fields).toMatchObject({
      client: stranger,
      from: '',
      to: 'someone@elsewhere.example',
      said: '550 5.7.1 Relaying denied',
    });
  });
});
