import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ClientOptions, createClient } from '../../src/client/client.ts';
import { type HostSession, type MailHostOptions, mailHost, type ScriptedHost, startHost } from './scripted-host.ts';

const text = 'Subject: x\r\n\r\nhello\r\n';

function mail(number: number) {
  return { envelope: { from: `m${number}@example.org`, to: ['b@example.com'] }, text };
}

async function scripted(script: (session: HostSession, index: number) => Promise<void>): Promise<ScriptedHost> {
  const host = await startHost(script);
  onTestFinished(() => host[Symbol.asyncDispose]());
  return host;
}

async function mailbox(options: MailHostOptions = {}) {
  const { script, taken } = mailHost(options);
  return Object.assign(await scripted(script), { taken });
}

function clientOf({ host, port }: { host: string; port: number }, options: Partial<ClientOptions> = {}) {
  const client = createClient({ host, port, tls: 'none', ...options });
  onTestFinished(() => client.close());
  return client;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe('createClient', () => {
  it('EXT-PIPE-4 sends many messages over few connections, each once and none mixed up', async () => {
    for (const offers of [['PIPELINING'], ['PIPELINING', 'CHUNKING'], []]) {
      const host = await mailbox({ offers });
      const client = clientOf(host, { limits: { connections: 3 } });
      const results = await Promise.all(
        numbers(100).map((number) => client.send({ ...mail(number), text: `Subject: ${number}\r\n\r\n.\r\n` })),
      );
      expect(results.every(({ ok }) => ok)).toBe(true);
      expect(host.sessions).toHaveLength(3);
      expect(host.taken.map(({ mail: line, text: body }) => `${line} ${body}`).sort()).toEqual(
        numbers(100)
          .map((number) => `MAIL FROM:<m${number}@example.org> Subject: ${number}\r\n\r\n.\r\n`)
          .sort(),
      );
    }
  });

  it('CLI-RPL-3 sends a message anew when the host ends a used connection before it answered anything', async () => {
    for (const ending of ['421 4.4.2 idle for too long', 'drop'] as const) {
      let mails = 0;
      const host = await mailbox({
        reply: (verb) => {
          if (verb !== 'MAIL') return undefined;
          mails += 1;
          return mails === 2 ? ending : undefined;
        },
      });
      const client = clientOf(host, { limits: { connections: 1 } });
      expect(await client.send(mail(1))).toMatchObject({ ok: true });
      expect(await client.send(mail(2))).toMatchObject({ ok: true });
      expect(host.taken.map(({ mail: line }) => line)).toEqual([
        'MAIL FROM:<m1@example.org> SIZE=21',
        'MAIL FROM:<m2@example.org> SIZE=21',
      ]);
      expect(host.sessions).toHaveLength(2);
    }
  });

  it('CLI-RPL-3 defers a message that a fresh connection does not answer', async () => {
    const host = await mailbox({ reply: (verb) => (verb === 'MAIL' ? '421 4.3.2 not now' : undefined) });
    expect(await clientOf(host).send(mail(1))).toMatchObject({
      ok: false,
      recipients: [{ kind: 'deferred', phase: 'mail', status: '4.3.2', reply: { code: 421 } }],
    });
    expect(host.sessions).toHaveLength(1);
  });

  it('uses another connection when an idle one was closed', async () => {
    const { script, taken } = mailHost();
    const host = await scripted(async (session, index) => {
      // The first connection ends behind its first message.
      if (index > 0) return script(session, index);
      session.send('220 mx.example');
      await session.line();
      session.send('250 mx.example');
      for (const reply of ['250 Ok', '250 Ok', '354 go']) {
        await session.line();
        session.send(reply);
      }
      await session.text();
      session.send('250 taken');
    });
    const client = clientOf(host);
    expect(await client.send(mail(1))).toMatchObject({ ok: true });
    await host.sessions[0]?.closed;
    expect(await client.send(mail(2))).toMatchObject({ ok: true });
    expect(taken).toHaveLength(1);
  });

  it('CLI-DUP-2 does not send again what the host may have taken: it says so, and its caller decides', async () => {
    let texts = 0;
    const host = await mailbox({
      reply: (verb) => {
        if (verb !== 'text') return undefined;
        texts += 1;
        return texts === 2 ? 'drop' : undefined;
      },
    });
    const client = clientOf(host, { limits: { connections: 1 } });
    expect(await client.send(mail(1))).toMatchObject({ ok: true });
    expect(await client.send(mail(2))).toMatchObject({
      recipients: [{ kind: 'deferred', phase: 'text', failure: { kind: 'lost' } }],
    });
    expect(await client.send(mail(2))).toMatchObject({ ok: true });
    expect(texts).toBe(3);
  });

  it('EXT-LIM-2 opens another connection behind MAILMAX messages', async () => {
    const host = await mailbox({ offers: ['PIPELINING', 'LIMITS MAILMAX=3'] });
    const client = clientOf(host, { limits: { connections: 1 } });
    const results = await Promise.all(numbers(8).map((number) => client.send(mail(number))));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(host.taken).toHaveLength(8);
    for (const { lines } of host.sessions) {
      expect(lines.filter((line) => line.startsWith('MAIL')).length).toBeLessThanOrEqual(3);
    }
  });

  it('EXT-LIM-1 EXT-LIM-2 sends to no more domains in a session than RCPTDOMAINMAX allows', async () => {
    const host = await mailbox({ offers: ['PIPELINING', 'LIMITS RCPTDOMAINMAX=2'] });
    const client = clientOf(host, { limits: { connections: 1 } });
    const to = numbers(5).flatMap((number) => [`a@d${number}.test`, `b@D${number}.test`]);
    expect(await client.send({ envelope: { from: '', to }, text: 'x\n' })).toMatchObject({ ok: true });
    const results = await Promise.all(
      numbers(6).map((number) => client.send({ envelope: { from: '', to: [`c@e${number}.test`] }, text: 'x\n' })),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
    for (const { lines } of host.sessions) {
      const domains = lines.flatMap((line) => /^RCPT TO:<.*@(.*)>/.exec(line)?.[1]?.toLowerCase() ?? []);
      expect(new Set(domains).size).toBeLessThanOrEqual(2);
    }
  });

  it('ends a connection with QUIT behind as many messages as it is allowed, and when it was idle', async () => {
    const host = await mailbox();
    const client = clientOf(host, { limits: { connections: 1, messagesPerConnection: 2 } });
    await Promise.all(numbers(5).map((number) => client.send(mail(number))));
    await host.sessions[1]?.closed;
    const counts = host.sessions.map(({ lines }) => lines.filter((line) => line.startsWith('MAIL')).length);
    expect(counts).toEqual([2, 2, 1]);
    expect(host.sessions[1]?.lines.at(-1)).toBe('QUIT');
    const idle = clientOf(host, { limits: { idleTime: 10 } });
    await idle.send(mail(1));
    await host.sessions[3]?.closed;
    expect(host.sessions[3]?.lines.at(-1)).toBe('QUIT');
    expect(await idle.send(mail(2))).toMatchObject({ ok: true });
  });

  it('goes on with the connections it has where the host allows no more', async () => {
    const host = await mailbox({
      reply: (verb, _line, session) => (verb === 'greeting' && session > 0 ? '421 too many' : undefined),
    });
    const client = clientOf(host, { limits: { connections: 4 } });
    const results = await Promise.all(numbers(20).map((number) => client.send(mail(number))));
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(host.sessions.length).toBeLessThanOrEqual(4);
  });

  it('gives the reason to every message when there is no connection', async () => {
    const host = await mailbox({ greeting: '554 no' });
    const results = await Promise.all(numbers(10).map((number) => clientOf(host).send(mail(number))));
    for (const { recipients } of results) {
      expect(recipients).toMatchObject([
        {
          address: 'b@example.com',
          kind: 'deferred',
          phase: 'greeting',
          reply: { code: 554 },
          failure: { kind: 'refused' },
        },
      ]);
    }
  });

  it('takes no more than may wait, and nothing once it is closed', async () => {
    const host = await scripted((session) => session.gone());
    const client = createClient({ ...host, tls: 'none', limits: { queue: 2 } });
    const waiting = [client.send(mail(1), { deadline: 50 }), client.send(mail(2), { deadline: 50 })];
    await expect(client.send(mail(3))).rejects.toMatchObject({ kind: 'limit' });
    for (const result of await Promise.all(waiting)) {
      expect(result).toMatchObject({ recipients: [{ kind: 'deferred', failure: { kind: 'timeout' } }] });
    }
    await client.close();
    await expect(client.send(mail(4))).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('CLI-DATA-3 does not let other messages suffer from one whose text breaks off', async () => {
    const host = await mailbox({ offers: ['PIPELINING', '8BITMIME'] });
    const client = clientOf(host, { limits: { connections: 1 } });
    async function* broken() {
      yield Buffer.from('half\r\n');
      throw new Error('disk');
    }
    const results = await Promise.all([
      client.send(mail(1)),
      client.send({ ...mail(2), text: broken() }),
      client.send(mail(3)),
      client.send(mail(4)),
    ]);
    expect(results.map(({ recipients }) => recipients[0]?.kind)).toEqual([
      'accepted',
      'deferred',
      'accepted',
      'accepted',
    ]);
    expect(host.taken).toHaveLength(3);
  });

  it('aborts a message in any state without harm to the others', async () => {
    const host = await mailbox();
    const client = clientOf(host, { limits: { connections: 1 } });
    const stops = numbers(20).map(() => new AbortController());
    const results = stops.map(({ signal }, number) => client.send(mail(number), { signal }));
    for (const [number, stop] of stops.entries()) if (number % 3 === 1) stop.abort();
    for (const [number, { ok, recipients }] of (await Promise.all(results)).entries()) {
      if (number % 3 === 1) expect(recipients).toMatchObject([{ kind: 'deferred', failure: { kind: 'aborted' } }]);
      else expect(ok).toBe(true);
    }
    expect(await client.send(mail(99), { signal: AbortSignal.abort() })).toMatchObject({
      recipients: [{ failure: { kind: 'aborted' } }],
    });
  });

  it('CMD-QUIT-2 sends what waits before it is closed, and ends with QUIT', async () => {
    const host = await mailbox();
    const results: Promise<{ ok: boolean }>[] = [];
    {
      await using client = createClient({ ...host, tls: 'none', limits: { connections: 2 } });
      for (const number of numbers(20)) results.push(client.send(mail(number)));
    }
    expect((await Promise.all(results)).every(({ ok }) => ok)).toBe(true);
    expect(host.sessions.map(({ lines }) => lines.at(-1))).toEqual(['QUIT', 'QUIT']);
  });

  it('puts one listener on a signal that many messages share, and none behind them', async () => {
    const host = await mailbox();
    const client = clientOf(host);
    const stop = new AbortController();
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    await Promise.all(numbers(100).map((number) => client.send(mail(number), { signal: stop.signal })));
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
    const sending = numbers(100).map((number) => client.send(mail(number), { signal: stop.signal }));
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    stop.abort();
    await Promise.all(sending);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  it('composes a message, and sends it to all of To, Cc and Bcc', async () => {
    const host = await mailbox();
    const client = clientOf(host);
    const result = await client.send({
      from: 'Ann <ann@example.org>',
      to: ['bob@example.com'],
      cc: 'carol@example.com',
      bcc: 'dan@example.com',
      subject: 'Grüße',
      text: '.hello\nworld',
      attachments: [{ filename: 'a.txt', content: 'text' }],
    });
    expect(result).toMatchObject({ ok: true, messageId: expect.stringMatching(/^<.+@example\.org>$/) });
    const [taken] = host.taken;
    expect(taken?.mail).toMatch(/^MAIL FROM:<ann@example\.org> SIZE=\d+$/);
    expect(taken?.rcpt.map((line) => line.slice(8))).toEqual([
      '<bob@example.com>',
      '<carol@example.com>',
      '<dan@example.com>',
    ]);
    expect(taken?.text).toContain(`Message-ID: ${result.messageId}`);
    expect(taken?.text).not.toContain('dan@');
    const other = await client.send({
      envelope: { from: 'bounces@example.org', to: ['list@example.com'] },
      from: 'ann@example.org',
      to: 'bob@example.com',
      attachments: [
        {
          filename: 'stream.bin',
          content: (async function* () {
            yield Buffer.from('streamed');
          })(),
        },
      ],
    });
    expect(other.ok).toBe(true);
    expect(host.taken[1]).toMatchObject({ rcpt: ['RCPT TO:<list@example.com>'] });
  });

  it('SEC-INJ-1 refuses CR, LF and NUL in what it composes before it connects', async () => {
    const host = await mailbox();
    const client = clientOf(host);
    const good = { from: 'a@example.org', to: 'b@example.com', text: 'x' };
    for (const bad of [
      { subject: 'x\r\nBcc: c@example.com' },
      { from: 'a@example.org\r\nBcc: c@example.com' },
      { to: 'b@example.com\n' },
      { headers: { 'X-A': 'b\nc' } },
      { headers: { 'X-A\r\nX-B': 'c' } },
      { subject: 'x\0' },
    ]) {
      await expect(client.send({ ...good, ...bad })).rejects.toMatchObject({ kind: 'invalid' });
    }
    expect(host.sessions).toHaveLength(0);
  });
});
