import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { startAgent } from '../../src/mta/start-agent.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { mailIn, memoryLog, sendMail, startTestAgent, type TestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

const header = 'From: a@example.com\r\nTo: b@far.example\r\nSubject: large\r\n\r\n';

/** Lines that differ, dots at the beginning of some; stuffed as they are sent. */
function largeText(size: number): { readonly stuffed: string; readonly delivered: string } {
  const lines: string[] = [];
  for (let length = 0; length < size; length += 64) {
    lines.push(`${lines.length % 7 === 0 ? '.' : ''}${lines.length} `.padEnd(62, 'text.'));
  }
  return {
    stuffed: `${header}${lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')}`,
    delivered: `${lines.join('\n')}\n`,
  };
}

/** A host for far.example. */
function startFar(): Promise<TestAgent> {
  return startTestAgent((folder) => ({
    hostname: 'mx.far.example',
    domains: { 'far.example': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' } },
  }));
}

/** An agent that relays to ports of this host, in this order. */
function startNear(to: string, change: object = {}): Promise<TestAgent> {
  return startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to }],
    queue: { retry: ['1s'] },
    ...change,
  }));
}

const toProxy = ({ port }: CuttingProxy) => `smtp://127.0.0.1:${port}?tls=none`;

const toldOf = (test: TestAgent, text: string) => test.log.lines.filter((line) => line.text === text);

describe('a large message between two agents', () => {
  it('EXT-CKPT-2 EXT-CKPT-4 EXT-CKPT-6 arrives once and octet by octet the same, however often it is cut, and is sent once in all', async () => {
    const { stuffed, delivered } = largeText(20_000_000);
    await using far = await startFar();
    await using proxy = await startCuttingProxy(far.port, { cuts: [5_000_011, 300, 7_123_457, 3_000_003] });
    await using near = await startNear(toProxy(proxy));
    await sendMail(near.port, { to: ['<b@far.example>'], text: stuffed });
    const [mail = ''] = await mailIn(far, 'b', 1);
    expect(mail.slice(mail.indexOf('\n\n') + 2) === delivered).toBe(true);
    expect(mail.match(/^Received: .*\n.*by mx\.far\.example/gm)).toHaveLength(1);
    await expect.poll(() => near.agent.store.count()).toBe(0);
    expect(toldOf(far, 'queued')).toHaveLength(1);
    const sum = proxy.sent.reduce((all, octets) => all + octets, 0);
    expect(proxy.sent.length).toBeGreaterThanOrEqual(5);
    expect(sum).toBeLessThan(stuffed.length + 2_000_000);
  }, 60_000);

  it('EXT-CKPT-2 goes on although the host does not know yet that the connection is cut', async () => {
    const { stuffed, delivered } = largeText(3_000_000);
    await using far = await startFar();
    await using proxy = await startCuttingProxy(far.port, { cuts: [1_000_001, 1_234_567], halves: true });
    await using near = await startNear(toProxy(proxy));
    await sendMail(near.port, { to: ['<b@far.example>', '<c@far.example>'], text: stuffed });
    for (const box of ['b', 'c']) {
      const [mail = ''] = await mailIn(far, box, 1);
      expect(mail.slice(mail.indexOf('\n\n') + 2) === delivered).toBe(true);
    }
    expect(proxy.sent.reduce((all, octets) => all + octets, 0)).toBeLessThan(stuffed.length + 1_000_000);
    expect(toldOf(far, 'queued')).toHaveLength(1);
  }, 60_000);

  it('EXT-CKPT-3 EXT-CKPT-6 is not delivered twice when the reply to all of it was lost', async () => {
    const { stuffed } = largeText(1_000_000);
    await using far = await startFar();
    // The cut falls behind the dot: a few octets of the last line more, and the envelope.
    const probe = await startCuttingProxy(far.port, { cuts: [] });
    const first = await startNear(toProxy(probe));
    await sendMail(first.port, { to: ['<a@far.example>'], text: stuffed });
    await mailIn(far, 'a', 1);
    await first[Symbol.asyncDispose]();
    await probe[Symbol.asyncDispose]();
    const whole = (probe.sent[0] as number) - 'QUIT\r\n'.length;
    await using proxy = await startCuttingProxy(far.port, { cuts: [whole] });
    await using near = await startNear(toProxy(proxy));
    await sendMail(near.port, { to: ['<b@far.example>'], text: stuffed });
    await expect.poll(() => near.agent.store.count(), { timeout: 20_000 }).toBe(0);
    await mailIn(far, 'b', 1);
    expect(proxy.sent).toHaveLength(2);
    expect(proxy.sent[1]).toBeLessThan(1000);
    expect(toldOf(far, 'queued')).toHaveLength(2);
  }, 60_000);

  it('EXT-CKPT-5 goes on after the host was started anew', async () => {
    const { stuffed, delivered } = largeText(2_000_000);
    await using far = await startFar();
    await using proxy = await startCuttingProxy(far.port, { cuts: [1_500_000] });
    await using near = await startNear(toProxy(proxy), { queue: { retry: ['3s'] } });
    await sendMail(near.port, { to: ['<b@far.example>'], text: stuffed });
    await expect.poll(() => toldOf(near, 'deferred').length, { timeout: 10_000 }).toBe(1);
    await far.agent.close();
    const log = memoryLog();
    const listeners = far.config.listeners.map((listener) => ({ ...listener, port: far.port }));
    await using _again = await startAgent({ config: { ...far.config, listeners } as Config, log });
    const [mail = ''] = await mailIn(far, 'b', 1);
    expect(mail.slice(mail.indexOf('\n\n') + 2) === delivered).toBe(true);
    expect(log.lines.filter((line) => line.text === 'queued')).toHaveLength(1);
    expect(proxy.sent[1]).toBeLessThan(800_000);
  }, 60_000);

  it('EXT-CKPT-6 CLI-DUP-3 goes on after the sending agent died in the midst of it, with those whom the host has accepted', async () => {
    const { stuffed, delivered } = largeText(4_000_000);
    await using far = await startTestAgent((folder) => ({
      hostname: 'mx.far.example',
      domains: { 'far.example': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['b', 'c'] } },
    }));
    await using proxy = await startCuttingProxy(far.port, { cuts: [3_000_000], stalls: true });
    await using near = await startNear(toProxy(proxy));
    await sendMail(near.port, { to: ['<b@far.example>', '<no@far.example>', '<c@far.example>'], text: stuffed });
    await expect.poll(() => proxy.sent[0]).toBe(3_000_000);
    // What the disk holds is what a crash would leave.
    const dataDir = join(near.folder, 'crashed');
    mkdirSync(join(dataDir, 'spool'), { recursive: true });
    copyFileSync(join(near.config.dataDir, 'spool', 'data.mdb'), join(dataDir, 'spool', 'data.mdb'));
    await using next = await startNear(toProxy(proxy), { dataDir });
    for (const box of ['b', 'c']) {
      const [mail = ''] = await mailIn(far, box, 1);
      expect(mail.slice(mail.indexOf('\n\n') + 2) === delivered).toBe(true);
    }
    expect(toldOf(far, 'queued')).toHaveLength(1);
    // Anew it would be all of it; how much the host had read of what was sent is up to its machine.
    expect(proxy.sent.slice(1).reduce((all, octets) => all + octets, 0)).toBeLessThan(3_900_000);
    await expect.poll(() => next.agent.store.count()).toBe(0);
    await near.agent.close({ grace: 0 });
  }, 60_000);

  it('EXT-CKPT-6 pays nothing when it is small, or the host has no use for it', async () => {
    await using hop = await startNextHop();
    await using far = await startFar();
    await using near = await startTestAgent(() => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [
        { domain: 'plain.example', to: hop.to },
        { domain: '*', to: `smtp://127.0.0.1:${far.port}?tls=none` },
      ],
    }));
    await sendMail(
      near.port,
      { to: ['<b@plain.example>'], text: largeText(400_000).stuffed },
      { to: ['<b@far.example>'] },
    );
    await expect.poll(() => hop.taken.length).toBe(1);
    await mailIn(far, 'b', 1);
    expect(hop.taken[0]?.mail).not.toContain('TRANSID');
    expect(far.agent.store.checkpoints.get('')).toBeUndefined();
  }, 30_000);
});

describe('a transaction that is cut off', () => {
  const named = (id: string, from = '<a@example.com>') => `MAIL FROM:${from} TRANSID=<${id}@client.example>\r\n`;
  const hello = { send: 'EHLO client.example\r\n', replies: 1 };
  const text = 'Subject: x\r\n\r\none\r\n';

  /** Leaves a transaction in the midst of its text. */
  async function leave(test: TestAgent, id: string): Promise<void> {
    const box = { send: `${named(id)}RCPT TO:<b@example.org>\r\nDATA\r\n`, replies: 3 };
    await talk(test.port, [hello, box, { send: `${text}tw`, replies: 0 }]);
  }

  it('EXT-CKPT-2 EXT-CKPT-3 is dropped when its name comes with another sender or other parameters', async () => {
    await using test = await startTestAgent();
    await leave(test, '1');
    const replies = await talk(test.port, [
      hello,
      { send: named('1', '<other@example.com>'), replies: 1 },
      { send: 'RSET\r\n', replies: 1 },
      { send: named('1'), replies: 1 },
    ]);
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual(['220', '250', '250', '250', '250']);
  });

  it('EXT-CKPT-2 takes no RCPT, and its message ends as any other', async () => {
    await using test = await startTestAgent();
    await leave(test, '1');
    const replies = await talk(test.port, [
      hello,
      { send: named('1'), replies: 1 },
      { send: 'RCPT TO:<c@example.org>\r\n', replies: 1 },
      { send: 'DATA\r\n', replies: 1 },
      { send: 'two\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.slice(2)).toEqual([
      `355 ${text.length} is the transaction offset`,
      expect.stringContaining('503 5.5.1'),
      `354 Continue at octet ${text.length}`,
      expect.stringContaining('250 2.0.0'),
    ]);
    const [mail = ''] = await mailIn(test, 'b', 1);
    expect(mail.endsWith('Subject: x\n\none\ntwo\n')).toBe(true);
  });

  it('EXT-CKPT-5 is forgotten at RSET, and by the message that was refused', async () => {
    await using test = await startTestAgent();
    await leave(test, '1');
    const again = await talk(test.port, [
      hello,
      { send: named('1'), replies: 1 },
      { send: 'RSET\r\n', replies: 1 },
      { send: named('1'), replies: 1 },
    ]);
    expect(again.map((reply) => reply.slice(0, 3))).toEqual(['220', '250', '355', '250', '250']);
    await leave(test, '2');
    const refused = await talk(test.port, [
      hello,
      { send: `${named('2')}DATA\r\n`, replies: 2 },
      { send: 'bare\nline\r\n.\r\n', replies: 1 },
    ]);
    expect(refused.at(-1)).toContain('550 5.5.2');
    const last = await talk(test.port, [hello, { send: named('2'), replies: 1 }]);
    expect(last.at(-1)).toContain('250');
  });

  it('EXT-CKPT-5 is forgotten when the client has its reply and says QUIT or goes on, and not before', async () => {
    await using test = await startTestAgent();
    const taken = (id: string, last: string) => [
      hello,
      { send: `${named(id)}RCPT TO:<b@example.org>\r\nDATA\r\n`, replies: 3 },
      { send: `${text}.\r\n`, replies: 1 },
      ...(last === '' ? [] : [{ send: last, replies: 1 }]),
    ];
    await talk(test.port, taken('quit', 'QUIT\r\n'));
    await talk(test.port, taken('mail', 'MAIL FROM:<a@example.com>\r\n'));
    await talk(test.port, taken('hello', 'EHLO client.example\r\n'));
    await talk(test.port, taken('gone', ''));
    const again = async (id: string) => (await talk(test.port, [hello, { send: named(id), replies: 1 }])).at(-1);
    expect(await again('quit')).toContain('250 2.1.0');
    expect(await again('mail')).toContain('250 2.1.0');
    expect(await again('hello')).toContain(`355 ${text.length} `);
    expect(await again('gone')).toContain(`355 ${text.length} `);
    const more = await talk(test.port, [
      hello,
      { send: `${named('gone')}DATA\r\n`, replies: 2 },
      { send: 'more\r\n.\r\n', replies: 1 },
    ]);
    expect(more.at(-1)).toContain('554 5.5.0');
    expect(await mailIn(test, 'b', 4)).toHaveLength(4);
  }, 20_000);

  it('EXT-CKPT-1 is not offered when none are to be kept', async () => {
    await using test = await startTestAgent(() => ({ extensions: { checkpoint: { transactions: 0 } } }));
    const replies = await talk(test.port, [hello, { send: named('1'), replies: 1 }]);
    expect(replies.at(-1)).toContain('555 5.5.4');
  });
});
