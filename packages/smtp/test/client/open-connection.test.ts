import { getEventListeners } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type Role, type ServerHandlers } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectOptions } from '../../src/client/connect-client.ts';
import { type Connection, openConnection } from '../../src/client/open-connection.ts';
import { testCertificate } from '../laws/test-certificate.ts';
import { type HostSession, type MailHostOptions, mailHost, startHost } from './scripted-host.ts';

const trusted = { tlsMaterial: { ca: testCertificate.cert } };
const message = { envelope: { from: 'a@example.org', to: ['b@example.com'] }, text: 'Subject: x\r\n\r\nhello\r\n' };

async function serve(
  role: Role,
  options: { tls?: boolean; cleartext?: boolean; handlers?: Partial<ServerHandlers> } = {},
) {
  const logins: string[] = [];
  const texts: string[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    ...(options.tls === false ? {} : { tls: testCertificate }),
    ...(options.cleartext ? { allowCleartextAuth: true } : {}),
    handlers: {
      async authenticate(_session, { mechanism, user, password }) {
        logins.push(`${mechanism} ${user}`);
        return password === 'secret' ? { login: user } : reply(535, '5.7.8', 'no');
      },
      async message(_session, _transaction, text) {
        let whole = '';
        for await (const piece of text) whole += piece.toString('latin1');
        texts.push(whole);
        return reply(250, '2.0.0', 'taken');
      },
      ...options.handlers,
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const { port } = (await server.listen({ role, host: '127.0.0.1', port: 0 })) as { port: number };
  return { port, host: '127.0.0.1', logins, texts };
}

async function scripted(script: (session: HostSession, index: number) => Promise<void>) {
  const host = await startHost(script);
  onTestFinished(() => host[Symbol.asyncDispose]());
  return host;
}

async function simpleHost(options: MailHostOptions = {}) {
  const { script, taken } = mailHost(options);
  return Object.assign(await scripted(script), { taken });
}

async function open(options: ConnectOptions): Promise<Connection> {
  const connection = await openConnection(options);
  onTestFinished(() => connection.close());
  return connection;
}

describe('openConnection', () => {
  it('CMD-TLS-3 CMD-AUTH-21 sends mail through STARTTLS and AUTH PLAIN to a host whose certificate fits', async () => {
    const { host, port, logins, texts } = await serve('submission');
    const credentials = { user: 'alice', password: 'secret' };
    const connection = await open({ host, port, tls: 'starttls', credentials, ...trusted });
    expect(connection.privacy).toBe('verified');
    expect(connection.capabilities.offered.has('STARTTLS')).toBe(false);
    expect(await connection.send(message)).toMatchObject({
      ok: true,
      recipients: [{ kind: 'accepted', phase: 'text' }],
    });
    expect(logins).toEqual(['PLAIN alice']);
    expect(texts).toEqual([message.text]);
  });

  it('speaks TLS from the first octet where that is asked for', async () => {
    const { host, port } = await serve('submissions');
    const credentials = { user: 'alice', password: 'secret' };
    const connection = await open({ host, port, tls: 'implicit', credentials, ...trusted });
    expect(await connection.send(message)).toMatchObject({ ok: true });
  });

  it.each(['starttls', 'implicit'] as const)(
    'CMD-AUTH-21 refuses a certificate for another name with tls %j',
    async (tls) => {
      const { host, port, logins } = await serve(tls === 'starttls' ? 'submission' : 'submissions');
      const credentials = { user: 'alice', password: 'secret' };
      const options = { host, port, tls, serverName: 'other.example.test', credentials, ...trusted };
      await expect(openConnection(options)).rejects.toMatchObject({ kind: 'tls', phase: 'tls' });
      await expect(openConnection({ host, port, tls, credentials })).rejects.toMatchObject({ kind: 'tls' });
      expect(logins).toEqual([]);
    },
  );

  it('CMD-TLS-2 fails closed where STARTTLS is required and missing', async () => {
    const host = await simpleHost();
    await expect(openConnection({ ...host, tls: 'starttls' })).rejects.toMatchObject({
      kind: 'tls',
      phase: 'tls',
      message: expect.stringContaining('STARTTLS'),
    });
    await host.sessions[0]?.closed;
    expect(host.sessions[0]?.lines).toEqual(['EHLO [127.0.0.1]', 'QUIT']);
  });

  it('CMD-TLS-2 CMD-TLS-3 drops replies that come in clear text ahead of the handshake', async () => {
    const lines: string[] = [];
    const server = createTcpServer((socket) => {
      socket.write('220 mx.example\r\n');
      socket.on('error', () => {});
      const read = (bytes: Buffer) => {
        const line = bytes.toString().trim();
        lines.push(line);
        if (line.startsWith('EHLO')) socket.write('250-mx.example\r\n250-DSN\r\n250 STARTTLS\r\n');
        if (line !== 'STARTTLS') return;
        socket.write('220 go\r\n250-evil.example\r\n250 X-EVIL\r\n250 2.0.0 injected\r\n');
        socket.off('data', read);
        const secured = new TLSSocket(socket, { isServer: true, ...testCertificate });
        secured.on('error', () => {});
        secured.on('data', (inner) => {
          lines.push(`inside: ${inner.toString().trim()}`);
          secured.write(inner.toString().startsWith('EHLO') ? '250-mx.example\r\n250 SIZE\r\n' : '221 bye\r\n');
        });
      };
      socket.on('data', read);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const connection = await openConnection({ host: '127.0.0.1', port, tls: 'starttls', ...trusted });
    expect(connection.capabilities.host).toBe('mx.example');
    expect([...connection.capabilities.offered]).toEqual(['SIZE']);
    await connection.close();
    const ehlo = 'EHLO [127.0.0.1]';
    expect(lines).toEqual([ehlo, 'STARTTLS', `inside: ${ehlo}`, 'inside: QUIT']);
  });

  it('goes on without TLS behind a broken handshake, but only when told that any TLS will do', async () => {
    const { script, taken } = mailHost();
    const host = await scripted(async (session, index) => {
      if (index === 1) return script(session, index);
      session.send('220 mx.example');
      await session.line();
      session.send('250-mx.example', '250 STARTTLS');
      await session.line();
      session.send('220 go');
      await session.octets(1);
      session.send('this is no TLS');
      await session.gone();
    });
    const connection = await open({ ...host, tls: 'opportunistic' });
    expect(connection.privacy).toBe('clear');
    expect(await connection.send(message)).toMatchObject({ ok: true });
    expect(taken).toHaveLength(1);
    await expect(openConnection({ ...host, tls: 'starttls' })).rejects.toMatchObject({ kind: 'tls' });
  });

  it('takes an unverified certificate only where that is said, and then shows no password', async () => {
    const { host, port, logins } = await serve('mx');
    expect((await open({ host, port, tls: 'opportunistic' })).privacy).toBe('encrypted');
    const submission = await serve('submission');
    const credentials = { user: 'alice', password: 'secret' };
    const options = { host, port: submission.port, tls: 'opportunistic' as const, credentials };
    await expect(openConnection(options)).rejects.toMatchObject({ kind: 'authentication', phase: 'auth' });
    expect(submission.logins).toEqual([]);
    await open({ ...options, allowCleartextAuth: true });
    expect(submission.logins).toEqual(['PLAIN alice']);
    expect(logins).toEqual([]);
  });

  it('CMD-AUTH-21 sends no password in clear text unless that is asked for by name', async () => {
    const { host, port, logins } = await serve('mx', { tls: false, cleartext: true });
    const options = { host, port, tls: 'none' as const, credentials: { user: 'alice', password: 'secret' } };
    await expect(openConnection(options)).rejects.toMatchObject({
      kind: 'authentication',
      message: expect.not.stringContaining('secret'),
    });
    expect(logins).toEqual([]);
    await open({ ...options, allowCleartextAuth: true });
    expect(logins).toEqual(['PLAIN alice']);
  });

  it('REP-534/535/538 rejects with the reply that refused the credentials', async () => {
    const { host, port } = await serve('submission');
    const credentials = { user: 'alice', password: 'wrong' };
    await expect(openConnection({ host, port, tls: 'starttls', credentials, ...trusted })).rejects.toMatchObject({
      kind: 'authentication',
      phase: 'auth',
      reply: { code: 535, status: '5.7.8' },
    });
  });

  it('says in words what is wrong when TLS from the first octet meets a host that greets in clear text', async () => {
    const host = await simpleHost();
    await expect(openConnection({ ...host, tls: 'implicit' })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringContaining("tls: 'starttls'"),
    });
  });

  it('takes the way of securing that a port is known for', async () => {
    const host = await simpleHost();
    const { connect } = await import('node:net');
    const open = (part: Partial<ConnectOptions>) => {
      return openConnection({ host: '127.0.0.1', ...part, socketFactory: () => connect(host.port, host.host) });
    };
    await expect(open({ port: 465 })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringContaining('implicit'),
    });
    await expect(open({ port: 587 })).rejects.toMatchObject({
      kind: 'tls',
      message: expect.stringContaining('STARTTLS'),
    });
    expect((await open({ port: 25 })).privacy).toBe('clear');
  });

  it('CLI-ORIG-1 says the address literal of its own end, or the name it is given, as A-labels', async () => {
    const host = await simpleHost();
    await open(host);
    await open({ ...host, name: 'client.example.test' });
    await open({ ...host, name: 'bücher.example' });
    expect(host.sessions.map(({ lines }) => lines[0])).toEqual([
      'EHLO [127.0.0.1]',
      'EHLO client.example.test',
      'EHLO xn--bcher-kva.example',
    ]);
    const six = await startHost(mailHost().script, { host: '::1' });
    onTestFinished(() => six[Symbol.asyncDispose]());
    await open({ host: '::1', port: six.port });
    expect(six.sessions[0]?.lines[0]).toBe('EHLO [IPv6:::1]');
  });

  it.each(['no name', 'a\r\nQUIT', '[1.2.3.4', ''])(
    'SEC-INJ-1 refuses %j as its name before it connects',
    async (name) => {
      const host = await simpleHost();
      await expect(openConnection({ ...host, name })).rejects.toMatchObject({ kind: 'invalid' });
      expect(host.sessions).toHaveLength(0);
    },
  );

  it('CMD-QUIT-2 says QUIT at the end, also to a host that refused it', async () => {
    const host = await simpleHost();
    const connection = await openConnection(host);
    await connection.close();
    expect(host.sessions[0]?.lines.at(-1)).toBe('QUIT');
    expect(connection.usable).toBe(false);
    const refusing = await scripted(async (session) => {
      session.send('554 5.3.2 no service');
      await session.line();
      session.send('221 bye');
    });
    await expect(openConnection(refusing)).rejects.toMatchObject({
      kind: 'refused',
      phase: 'greeting',
      reply: { code: 554 },
    });
    await refusing.sessions[0]?.closed;
    expect(refusing.sessions[0]?.lines).toEqual(['QUIT']);
  });

  it('CLI-TMO-1 gives up on a host that does not greet, and on one that is slow with a reply', async () => {
    const silent = await scripted((session) => session.gone());
    await expect(openConnection({ ...silent, timeouts: { greeting: 20 } })).rejects.toMatchObject({
      kind: 'timeout',
      phase: 'greeting',
      message: expect.stringContaining('implicit TLS'),
    });
    const slow = await scripted(async (session) => {
      session.send('220 mx.example');
      await session.line();
      session.send('250 mx.example');
      await session.gone();
    });
    const connection = await open({ ...slow, timeouts: { mail: 20, quit: 20 } });
    expect(await connection.send(message)).toMatchObject({
      ok: false,
      recipients: [{ kind: 'deferred', phase: 'mail', failure: { kind: 'timeout' } }],
    });
    expect(connection.usable).toBe(false);
  });

  it('CLI-RPL-5 hangs up on a host that greets without end, in one line or in many', async () => {
    for (const piece of ['x'.repeat(10_000), '220-more\r\n'.repeat(1000)]) {
      const endless = await scripted(async (session) => {
        let isOver = false;
        void session.closed.then(() => {
          isOver = true;
        });
        session.send('220-mx.example');
        while (!isOver) {
          session.socket.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      await expect(openConnection(endless)).rejects.toMatchObject({ kind: 'protocol', phase: 'greeting' });
      await endless.sessions[0]?.closed;
    }
  });

  it('says why there is no connection: refused, unknown host, aborted', async () => {
    const host = await simpleHost();
    await host[Symbol.asyncDispose]();
    await expect(openConnection(host)).rejects.toMatchObject({ kind: 'refused', phase: 'connect' });
    await expect(openConnection({ path: '/nowhere/at.all' })).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(openConnection({ ...host, signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' });
    const stop = new AbortController();
    const silent = await scripted(async (session) => {
      stop.abort();
      await session.gone();
    });
    await expect(openConnection({ ...silent, signal: stop.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('uses a connection that somebody else makes, and waits for it no longer than for its own', async () => {
    const host = await simpleHost();
    const { connect } = await import('node:net');
    const made = await open({ host: 'mx.example', tls: 'none', socketFactory: () => connect(host.port, host.host) });
    expect(await made.send(message)).toMatchObject({ ok: true });
    const never = { host: 'mx.example', socketFactory: () => new Promise<never>(() => {}), timeouts: { connect: 10 } };
    await expect(openConnection(never)).rejects.toMatchObject({ kind: 'timeout', phase: 'connect' });
    const failing = { host: 'mx.example', socketFactory: () => Promise.reject(new Error('proxy')) };
    await expect(openConnection(failing)).rejects.toMatchObject({ phase: 'connect' });
  });

  it('tries the other addresses of a name when one does not answer', async () => {
    const server = createTcpServer((socket) => socket.end('220 mx.example\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    // On most machines localhost is ::1, too, where nobody listens; it is the connection alone that matters here.
    await expect(openConnection({ host: 'localhost', port })).rejects.toMatchObject({ phase: 'hello' });
  });
});

describe('Connection', () => {
  it('LMTP-6 CLI-RPL-1 gives one result per recipient, with the reply and its status', async () => {
    const host = await simpleHost({
      lmtp: true,
      reply: (verb, line) => {
        if (verb === 'RCPT' && line.includes('nobody')) return '550 5.1.1 nobody';
        return verb === 'text' && line.includes('full') ? '452 4.2.2 full' : undefined;
      },
    });
    const connection = await open({ ...host, protocol: 'lmtp' });
    const to = ['one@example.com', 'nobody@example.com', 'full@example.com'];
    const result = await connection.send({ envelope: { from: '', to }, text: 'x\n' });
    expect(result.ok).toBe(false);
    expect(result.recipients).toEqual([
      { address: to[0], kind: 'accepted', phase: 'text', status: '2.0.0', reply: reply(250, '2.0.0', 'taken') },
      { address: to[1], kind: 'refused', phase: 'rcpt', status: '5.1.1', reply: reply(550, '5.1.1', 'nobody') },
      { address: to[2], kind: 'deferred', phase: 'text', status: '4.2.2', reply: reply(452, '4.2.2', 'full') },
    ]);
  });

  it('CMD-RCPT-9 reports 251 and 551 and sends nothing elsewhere', async () => {
    const host = await simpleHost({
      reply: (verb, line) => {
        if (verb !== 'RCPT') return undefined;
        return line.includes('moved') ? '251 forwarding to <c@example.net>' : '551 try <d@example.net>';
      },
    });
    const connection = await open(host);
    const to = ['moved@example.com', 'gone@example.com'];
    expect(await connection.send({ envelope: { from: '', to }, text: 'x\n' })).toMatchObject({
      recipients: [
        { kind: 'accepted', reply: { code: 250 } },
        { kind: 'refused', reply: { code: 551 } },
      ],
    });
    expect(host.sessions[0]?.lines.filter((line) => line.includes('example.net'))).toEqual([]);
  });

  it('CMD-RCPT-6 sends 250 recipients in transactions of 100', async () => {
    const host = await simpleHost();
    const to = Array.from({ length: 250 }, (_, index) => `u${index}@example.com`);
    const result = await (await open(host)).send({ envelope: { from: '', to }, text: 'x\n' });
    expect(result.ok).toBe(true);
    expect(result.recipients.map(({ address }) => address)).toEqual(to);
    expect(host.taken.map(({ rcpt }) => rcpt.length)).toEqual([100, 100, 50]);
  });

  it('CMD-RCPT-6 sends what 452 and 552 left over in a next transaction, as long as that helps', async () => {
    let taken = 0;
    const host = await simpleHost({
      offers: ['PIPELINING'],
      reply: (verb, line) => {
        if (verb === 'MAIL') taken = 0;
        if (verb !== 'RCPT') return undefined;
        if (line.includes('never')) return '452 4.5.3 too many';
        taken += 1;
        return taken <= 2 ? undefined : `${taken % 2 === 0 ? 452 : 552} too many`;
      },
    });
    const to = ['never@example.com', ...Array.from({ length: 5 }, (_, index) => `u${index}@example.com`)];
    const { recipients } = await (await open(host)).send({ envelope: { from: '', to }, text: 'x\n' });
    expect(recipients.map(({ kind }) => kind)).toEqual(['deferred', ...Array.from({ length: 5 }, () => 'accepted')]);
    expect(host.taken.map(({ rcpt }) => rcpt.length)).toEqual([2, 2, 1]);
  });

  it('EXT-LIM-2 keeps to RCPTDOMAINMAX, however many messages are given to it at once', async () => {
    const host = await simpleHost({ offers: ['LIMITS RCPTDOMAINMAX=2'] });
    const connection = await open(host);
    const send = (domain: string) => connection.send({ envelope: { from: '', to: [`b@${domain}`] }, text: 'x\n' });
    const results = await Promise.all(['one.test', 'two.test', 'three.test', 'ONE.test'].map(send));
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, true]);
    expect(results[2]).toMatchObject({ recipients: [{ kind: 'deferred', failure: { kind: 'limit' } }] });
  });

  it('EXT-LIM-2 keeps to RCPTMAX, and does not send again what a text can be read for only once', async () => {
    const host = await simpleHost({ offers: ['LIMITS RCPTMAX=2 MAILMAX=3', '8BITMIME'] });
    const connection = await open(host);
    const to = ['a@example.com', 'b@example.com', 'c@example.com'];
    expect(await connection.send({ envelope: { from: '', to }, text: 'x\n' })).toMatchObject({ ok: true });
    expect(host.taken.map(({ rcpt }) => rcpt.length)).toEqual([2, 1]);
    async function* once() {
      yield Buffer.from('y\n');
    }
    const result = await connection.send({ envelope: { from: '', to }, text: once() });
    expect(result.recipients.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'deferred']);
    expect(await connection.send(message)).toMatchObject({
      recipients: [{ kind: 'deferred', failure: { kind: 'limit' } }],
    });
  });

  it.each([
    { from: 'a@example.org>\r\nRCPT TO:<x@example.com', to: ['b@example.com'] },
    { from: 'a@example.org', to: ['b@example.com>\r\nDATA'] },
    { from: 'a@example.org', to: ['b\0@example.com'] },
    { from: 'a@example.org', to: ['b\n@example.com'] },
    { from: 'a@example.org', to: [] },
    { from: 'no address', to: ['b@example.com'] },
    { from: '', to: [{ address: 'b@example.com', originalRecipient: 'utf-8;b\r\nDATA' }] },
    { from: '', to: [{ address: 'b@example.com', originalRecipient: 'rfc822;b NOTIFY=NEVER\r\n' }] },
    { from: '', to: [{ address: 'b@example.com', notify: ['NEVER\r\nDATA' as 'DELAY'] }] },
    { from: '', to: ['b@example.com'], mail: { envelopeId: 'a\r\nb' } },
    { from: '', to: ['b@example.com'], mail: { size: -1 } },
    { from: '', to: ['b@example.com'], mail: { ret: 'FULL\r\nDATA' as 'FULL' } },
  ])('SEC-INJ-1 refuses the envelope %j before anything is sent', async (envelope) => {
    const host = await simpleHost();
    const connection = await open(host);
    await expect(connection.send({ envelope, text: 'x\n' })).rejects.toMatchObject({ kind: 'invalid' });
    expect(host.sessions[0]?.lines).toHaveLength(1);
    await expect(connection.verify('b\r\nDATA')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('CLI-DATA-3 never ends a text whose source breaks off', async () => {
    const host = await simpleHost({ offers: ['8BITMIME'] });
    async function* broken() {
      yield Buffer.from('Subject: x\r\n\r\nhalf\r\n');
      throw new Error('disk');
    }
    const result = await (await open(host)).send({ envelope: message.envelope, text: broken() });
    expect(result).toMatchObject({
      recipients: [{ kind: 'deferred', phase: 'text', failure: { kind: 'aborted' } }],
    });
    expect(host.taken).toEqual([]);
    expect(host.sessions[0]?.lines).not.toContain('.');
  });

  it('CLI-DATA-3 closes the source of a text that the host does not want to its end', async () => {
    const host = await simpleHost({
      offers: ['8BITMIME', 'CHUNKING', 'BINARYMIME'],
      reply: (verb) => (verb === 'BDAT' ? '552 5.3.4 enough' : undefined),
    });
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.from('more\r\n');
      } finally {
        closed = true;
      }
    }
    const connection = await open(host);
    const envelope = { ...message.envelope, mail: { body: 'BINARYMIME' as const } };
    expect(await connection.send({ envelope, text: endless() })).toMatchObject({
      recipients: [{ kind: 'refused', reply: { code: 552 } }],
    });
    expect(await connection.send(message)).toMatchObject({ ok: true });
    expect(closed).toBe(true);
  });

  it('CLI-DATA-1 sends text of any form: string, octets, and pieces again and again', async () => {
    const host = await simpleHost();
    const connection = await open(host);
    const large = Buffer.from(`Subject: x\r\n\r\n${'.line of text\r\n'.repeat(60_000)}`);
    async function* pieces() {
      for (let at = 0; at < large.length; at += 7001) yield large.subarray(at, at + 7001);
    }
    for (const text of ['x\ny', Buffer.from('x\ny'), large, pieces, pieces]) {
      expect(await connection.send({ envelope: message.envelope, text })).toMatchObject({ ok: true });
    }
    expect(host.taken.map(({ text }) => text.length)).toEqual([6, 6, large.length, large.length, large.length]);
    expect(host.taken.slice(2).every(({ text }) => text === large.toString())).toBe(true);
  });

  it('CLI-RPL-3 defers what a host does not answer, whatever it does instead', async () => {
    const endings: Record<string, (session: HostSession) => void> = {
      lost: (session) => session.socket.destroy(),
      protocol: (session) => session.send('what?'),
    };
    for (const [kind, end] of Object.entries(endings)) {
      const host = await scripted(async (session) => {
        session.send('220 mx.example');
        await session.line();
        session.send('250 mx.example');
        await session.line();
        end(session);
        await session.gone();
      });
      const connection = await open(host);
      expect(await connection.send(message)).toMatchObject({
        recipients: [{ kind: 'deferred', phase: 'mail', failure: { kind } }],
      });
      expect(await connection.send(message)).toMatchObject({ recipients: [{ kind: 'deferred' }] });
      await expect(connection.noop()).rejects.toMatchObject({ kind });
    }
  });

  it('reads every reply of one packet, and ends an idle connection on 421', async () => {
    const host = await scripted(async (session) => {
      session.send('220 mx.example');
      await session.line();
      session.send('250 mx.example');
      await session.line();
      session.send('250 Ok', '421 4.4.2 idle');
    });
    const connection = await open(host);
    expect(await connection.noop()).toMatchObject({ code: 250 });
    expect(connection.usable).toBe(false);
    expect(await connection.send(message)).toMatchObject({ recipients: [{ kind: 'deferred' }] });
  });

  it('ends a message in time, or when its caller has had enough, and leaves no listener behind', async () => {
    const host = await scripted(async (session) => {
      session.send('220 mx.example');
      await session.line();
      session.send('250 mx.example');
      await session.gone();
    });
    const late = await open(host);
    expect(await late.send(message, { deadline: 20 })).toMatchObject({
      recipients: [{ kind: 'deferred', failure: { kind: 'timeout' } }],
    });
    const stop = new AbortController();
    const { signal } = stop;
    const sending = (await open(host)).send(message, { signal });
    stop.abort();
    expect(await sending).toMatchObject({ recipients: [{ kind: 'deferred', failure: { kind: 'aborted' } }] });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('EXT-UTF8-11 asks EXPN, and for names of other scripts only with the keyword and where it is offered', async () => {
    const host = await simpleHost({ offers: ['EXPN', '8BITMIME', 'SMTPUTF8'] });
    const connection = await open(host);
    await connection.expand('team');
    await connection.expand('команда');
    await connection.verify('анна');
    const lines = host.sessions[0]?.lines.slice(1).map((line) => Buffer.from(line, 'latin1').toString());
    expect(lines).toEqual(['EXPN team', 'EXPN команда SMTPUTF8', 'VRFY анна SMTPUTF8']);
    const plain = await open(await simpleHost({ offers: ['EXPN'] }));
    await expect(plain.expand('команда')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(plain.expand('b\r\nDATA')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('asks VRFY, NOOP and RSET', async () => {
    const host = await simpleHost({ reply: (verb) => (verb === 'VRFY' ? '252 2.5.0 maybe' : undefined) });
    const connection = await open(host);
    expect(await connection.verify('b')).toMatchObject({ code: 252, status: '2.5.0' });
    expect(await connection.noop()).toMatchObject({ code: 250 });
    expect(await connection.reset()).toMatchObject({ code: 250 });
    expect(host.sessions[0]?.lines).toEqual(['EHLO [127.0.0.1]', 'VRFY b', 'NOOP', 'RSET']);
  });

  it('EXT-UTF8-4 sends domains as A-labels, so that a host without SMTPUTF8 can take them', async () => {
    const host = await simpleHost();
    const envelope = { from: 'a@bücher.example', to: ['b@例え.example'] };
    expect(await (await open(host)).send({ envelope, text: 'x\n' })).toMatchObject({ ok: true });
    expect(host.taken[0]).toMatchObject({
      mail: 'MAIL FROM:<a@xn--bcher-kva.example> SIZE=3',
      rcpt: ['RCPT TO:<b@xn--r8jz45g.example>'],
    });
  });
});
