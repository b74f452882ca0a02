import {
  type MtqpClientEvent,
  type MtqpClientOptions,
  MtqpClientSession,
} from '@posthorn/smtp/mtqp/mtqp-client-session';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';
import { envelopeId, MemoryMtqp, mtqpRules, secret } from './memory-mtqp.ts';

let time = 0;

function clientOf(change: Partial<MtqpClientOptions> = {}): MtqpClientSession {
  time = 0;
  return new MtqpClientSession({
    serverName: 'mail.example.org',
    startTls: 'try',
    replyTime: 150_000,
    clock: () => time,
    ...change,
  });
}

function events(client: MtqpClientSession): MtqpClientEvent[] {
  const told: MtqpClientEvent[] = [];
  for (let event = client.next(); event !== undefined; event = client.next()) told.push(event);
  return told;
}

function said(client: MtqpClientSession): string {
  return Buffer.concat(client.takeOutput() ?? []).toString();
}

function hear(client: MtqpClientSession, text: string): MtqpClientEvent[] {
  client.receive(Buffer.from(text));
  return events(client);
}

/** Lets both ends of a session talk until neither has more to say; TLS is a formality. */
function converse(client: MtqpClientSession, server: MemoryMtqp): MtqpClientEvent[] {
  const told: MtqpClientEvent[] = [];
  let heard = 0;
  for (;;) {
    client.receive(Buffer.from(server.transcript.slice(heard)));
    heard = server.transcript.length;
    const news = events(client);
    told.push(...news);
    if (news.some(({ kind }) => kind === 'handshake')) {
      client.secured();
      server.secure();
      continue;
    }
    const octets = said(client);
    if (octets === '') return told;
    server.send(octets);
  }
}

const query = { envelopeId, secret };
const other = { envelopeId: 'other@x.example', secret };

describe('an MTQP client session', () => {
  it('EXT-MTQP-4 EXT-MTQP-5 EXT-MTQP-6 asks inside TLS, in one group, and gets its answers in order', () => {
    const client = clientOf({ startTls: 'require' });
    client.track(query);
    client.track(other);
    client.quit();
    const told = converse(client, new MemoryMtqp(mtqpRules({ startTls: 'required' })));
    expect(told.map(({ kind }) => kind)).toEqual(['handshake', 'ready', 'reply', 'reply', 'over']);
    expect(told[2]).toMatchObject({ reply: { indicator: 'OK', lines: ['Content-Type: x', '', '.dot', '.', ''] } });
    expect(told[3]).toMatchObject({ reply: { indicator: 'ERR', details: ['noinfo'] } });
    expect(told[4]).toEqual({ kind: 'over', why: 'bye' });
  });

  it('EXT-MTQP-4 forgets what was said before TLS', () => {
    const client = clientOf();
    client.track(query);
    hear(client, '+OK+/MTQP x\r\nstarttls\r\nvnd.x.before\r\n.\r\n');
    expect(said(client)).toBe('STARTTLS mail.example.org\r\n');
    expect(hear(client, '+OK\r\n+OK/MTQP injected\r\n-ERR/noinfo injected\r\n')).toEqual([{ kind: 'handshake' }]);
    expect(hear(client, '+OK/MTQP injected\r\n')).toEqual([]);
    client.secured();
    expect(events(client)).toEqual([]);
    const [ready] = hear(client, '+OK+/MTQP x\r\nstarttls\r\n.\r\n');
    expect(ready).toMatchObject({ kind: 'ready' });
    // TLS within TLS is not tried, whatever the server says.
    expect(said(client)).toBe(`TRACK ${envelopeId} Xwx74alNIobzsBF86F2aRGPC\r\n`);
  });

  it('EXT-MTQP-4 goes on without TLS only where it may', () => {
    for (const startTls of ['try', 'require'] as const) {
      const client = clientOf({ startTls });
      client.track(query);
      const [event] = hear(client, '+OK/MTQP x\r\n');
      expect(event?.kind).toBe(startTls === 'try' ? 'ready' : 'refused');
      expect(said(client)).toBe(startTls === 'try' ? `TRACK ${envelopeId} Xwx74alNIobzsBF86F2aRGPC\r\n` : '');
      const second = clientOf({ startTls });
      hear(second, '+OK+/MTQP x\r\nstarttls\r\n.\r\n');
      const [answer] = hear(second, '-BAD/bad-fqdn not me\r\n');
      expect(answer?.kind).toBe(startTls === 'try' ? 'ready' : 'refused');
    }
  });

  it('EXT-MTQP-2 takes a greeting for what it is', () => {
    const client = clientOf();
    client.track(query);
    expect(hear(client, '-TEMP/MTQP/admin Closed\r\n')).toMatchObject([
      { kind: 'refused', reply: { indicator: 'TEMP' } },
    ]);
    client.quit();
    expect(said(client)).toBe('QUIT\r\n');
    expect(hear(client, '+OK\r\n')).toEqual([{ kind: 'over', why: 'bye' }]);
    expect(hear(clientOf(), '220 mx ESMTP\r\n')).toEqual([{ kind: 'over', why: 'protocol' }]);
  });

  it('EXT-MTQP-5 waits at least two minutes for each answer', () => {
    const client = clientOf({ startTls: 'no' });
    expect(client.deadline()).toBe(150_000);
    time = 100_000;
    hear(client, '+OK/MTQP x\r\n');
    expect(client.deadline()).toBeUndefined();
    client.track(query);
    client.expire(249_999);
    expect(client.isReady).toBe(true);
    client.expire(250_000);
    expect(events(client)).toEqual([{ kind: 'over', why: 'timeout' }]);
  });

  it('takes no reply that nothing was asked for', () => {
    const client = clientOf({ startTls: 'no' });
    expect(hear(client, '+OK/MTQP x\r\n+OK\r\n').at(-1)).toEqual({ kind: 'over', why: 'protocol' });
  });

  it('EXT-MTQP-2 tells the same however the input is cut, and of garbage nothing but the end', () => {
    cutLaw('+OK+/MTQP x\r\nfoo\r\n.\r\n+OK+ found\r\n..a\r\n.\r\n-ERR/noinfo\r\n', (pieces) => {
      const client = clientOf({ startTls: 'no' });
      client.track(query);
      client.track(other);
      return pieces.flatMap((piece) => hear(client, piece.toString('latin1')));
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const client = clientOf({ startTls: 'no' });
        client.track(query);
        const told = hear(client, `+OK/MTQP x\r\n${text}\r\n`);
        expect(told[0]?.kind).toBe('ready');
      }),
    );
  });
});
