import type { Duplex } from 'node:stream';
import type { ConnectOptions } from '@posthorn/smtp/client';
import { type Connection, openConnection } from '@posthorn/smtp/client/open-connection';
import { Failure } from '@posthorn/smtp/failure/failure';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type Role, type Server, type ServerHandlers, type Session } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../laws/socket-client.ts';
import { testCertificate } from '../laws/test-certificate.ts';

const credentials = { user: 'branch', password: 'thirteen grey herons' };

interface Provider {
  readonly server: Server;
  readonly errors: unknown[];
  readonly port: number;
  readonly asked: (readonly string[])[];
  readonly closed: string[];
}

/** A provider that sends one message over each connection that was reversed, or does what `takeOver` says. */
async function openProvider(
  takeOver: (stream: Duplex) => void | Promise<void> = sendOne,
  { role = 'odmr', tls = false }: { readonly role?: Role; readonly tls?: boolean } = {},
): Promise<Provider> {
  const [errors, asked, closed] = [[], [], []] as [unknown[], (readonly string[])[], string[]];
  const handlers: ServerHandlers = {
    async authenticate(_session, given) {
      const isRight =
        given.password === credentials.password || ('proves' in given && given.proves?.(credentials.password));
      return isRight ? { login: given.user } : reply(535, '5.7.8', 'No');
    },
    async atrn(_session, domains) {
      asked.push(domains);
      return domains.includes('empty.test') ? reply(453, '4.2.0', 'You have no mail') : takeOver;
    },
    turn: async () => takeOver,
    etrn: (_session, { name }) => (name === 'bad.test' ? reply(458, '4.3.0', 'Not now') : undefined),
    async message() {
      return reply(250, '2.0.0', 'Ok');
    },
    close: (session) => void closed.push(session.role),
  };
  const server = createServer({
    hostname: 'odmr.example.test',
    handlers,
    onError: (error) => errors.push(error),
    ...(tls ? { tls: testCertificate } : {}),
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role, host: '127.0.0.1', port: 0, mechanisms: ['CRAM-MD5', 'PLAIN'] });
  return { server, errors, asked, closed, port: 'port' in address ? address.port : 0 };
}

async function sendOne(stream: Duplex): Promise<void> {
  await using connection = await openConnection({
    socketFactory: () => stream,
    tls: 'none',
    name: 'odmr.example.test',
    timeouts: { greeting: 5000 },
  });
  const result = await connection.send({
    envelope: { from: 'dora@example.edu', to: ['sales@shop.example.com', 'gone@shop.example.com'] },
    text: 'Subject: order 17\r\n\r\nTwo crates, please.\r\n',
  });
  if (!result.recipients.some(({ kind }) => kind === 'accepted')) throw new Failure('refused', 'Nobody took it');
}

interface Customer {
  readonly server: Server<string>;
  readonly taken: string[];
  readonly sessions: Session<string>[];
  ended: Promise<void>;
}

/** The customer's own server, which serves the connection that it opened. */
function openCustomer(): Customer {
  const [taken, sessions] = [[], []] as [string[], Session<string>[]];
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const server = createServer<string>({
    hostname: 'mail.branch.example.org',
    handlers: {
      connect: (session) => void sessions.push(session),
      recipient: (_session, { mailbox }) =>
        mailbox.localPart === 'gone' ? reply(550, '5.1.1', 'No such mailbox') : undefined,
      async message(_session, _transaction, text) {
        let all = '';
        for await (const piece of text) all += piece.toString('latin1');
        taken.push(all);
        return reply(250, '2.0.0', 'Ok: queued as B1');
      },
      close: () => end(),
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  return { server, taken, sessions, ended };
}

function login(port: number, change: Partial<ConnectOptions> = {}): Promise<Connection> {
  return openConnection({
    host: '127.0.0.1',
    port,
    tls: 'none',
    name: 'mail.branch.example.org',
    credentials,
    mechanisms: ['CRAM-MD5'],
    ...change,
  });
}

/** A client that has logged in by PLAIN, line by line. */
async function rawLogin(port: number): Promise<SocketClient> {
  const client = SocketClient.connect({ port });
  onTestFinished(() => client.destroy());
  await client.reply();
  await client.say('EHLO x.test', 'STARTTLS');
  await client.secure();
  expect(await client.say('EHLO x.test', 'AUTH PLAIN AGJyYW5jaAB0aGlydGVlbiBncmV5IGhlcm9ucw==')).toMatch(/^235/);
  return client;
}

describe('a connection whose roles are reversed', () => {
  it('CMD-ATRN-3 CMD-ATRN-5 CMD-AUTH-11 carries mail the other way, and ends with QUIT', async () => {
    const provider = await openProvider();
    const customer = openCustomer();
    const connection = await login(provider.port);
    const { reply: answer, stream } = await connection.atrn(['branch.example.org', 'shop.example.com']);
    expect(answer).toMatchObject({ code: 250, status: '2.0.0' });
    expect(connection.usable).toBe(false);
    customer.server.acceptStream(stream as Duplex, { role: 'mx', state: 'mine' });
    await customer.ended;
    expect(customer.taken).toEqual(['Subject: order 17\r\n\r\nTwo crates, please.\r\n']);
    expect(customer.sessions[0]?.state).toBe('mine');
    expect(customer.sessions[0]?.tls).toBeUndefined();
    expect(provider.asked).toEqual([['branch.example.org', 'shop.example.com']]);
    expect(provider.errors).toEqual([]);
    await expect.poll(() => provider.server.sessions).toBe(0);
    expect(provider.closed).toEqual(['odmr']);
  });

  it('CMD-ATRN-3 stays within TLS, and offers it to nobody again', async () => {
    const provider = await openProvider(sendOne, { tls: true });
    const customer = openCustomer();
    const connection = await login(provider.port, {
      tls: 'starttls',
      mechanisms: ['PLAIN'],
      tlsMaterial: { ca: testCertificate.cert as string },
      serverName: 'mx.example.test',
    });
    const { stream } = await connection.atrn([]);
    customer.server.acceptStream(stream as Duplex, { role: 'mx' });
    await customer.ended;
    expect(customer.taken).toHaveLength(1);
    expect(customer.sessions[0]?.tls?.protocol).toMatch(/^TLS/);
    expect(provider.asked).toEqual([[]]);
  });

  it('CMD-TURN-2 may come about by TURN, too', async () => {
    const provider = await openProvider(sendOne, { role: 'mx', tls: true });
    const customer = openCustomer();
    const connection = await login(provider.port, {
      tls: 'starttls',
      mechanisms: ['PLAIN'],
      tlsMaterial: { ca: testCertificate.cert as string },
      serverName: 'mx.example.test',
    });
    const { stream } = await connection.turn();
    customer.server.acceptStream(stream as Duplex, { role: 'mx' });
    await customer.ended;
    expect(customer.taken).toHaveLength(1);
  });

  it('CMD-ATRN-4 CMD-ETRN-3 CMD-ETRN-5 goes on as it was when the host says no', async () => {
    const provider = await openProvider(sendOne, { role: 'mx', tls: true });
    const connection = await login(provider.port, {
      tls: 'starttls',
      mechanisms: ['PLAIN'],
      tlsMaterial: { ca: testCertificate.cert as string },
      serverName: 'mx.example.test',
    });
    const refused = await connection.atrn(['empty.test']);
    expect(refused).toEqual({ reply: expect.objectContaining({ code: 453 }) });
    expect(connection.usable).toBe(true);
    expect(await connection.etrn('foo.test')).toMatchObject({ code: 250 });
    expect(await connection.etrn('bad.test')).toMatchObject({ code: 458 });
    await expect(connection.etrn('localname')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(connection.atrn(['a.test', 'b.test\r\nQUIT'])).rejects.toMatchObject({ kind: 'invalid' });
    await connection.close();
  });

  it('CMD-ATRN-7 EXT-PIPE-1 does not see octets that lay behind the command', async () => {
    const provider = await openProvider(undefined, { tls: true });
    const client = await rawLogin(provider.port);
    client.send('ATRN\r\n220 too early\r\n250 for EHLO\r\n');
    expect(await client.reply()).toMatch(/^250 2\.0\.0/);
    client.send('220 mail.branch.example.org ready\r\n');
    expect(await client.line()).toBe('EHLO odmr.example.test');
  });

  it('CMD-ATRN-3 is closed when the customer has gone with its command', async () => {
    let taken = 0;
    const provider = await openProvider(
      (stream) => {
        taken += 1;
        stream.destroy();
      },
      { tls: true },
    );
    const client = await rawLogin(provider.port);
    client.send('ATRN\r\n');
    client.stream.end();
    await client.closed();
    await expect.poll(() => provider.server.sessions).toBe(0);
    expect(taken).toBeLessThanOrEqual(1);
  });

  it('CMD-ATRN-3 is closed, and told of, when its new owner fails', async () => {
    for (const takeOver of [
      () => Promise.reject(new Error('fault')),
      () => {
        throw new Error('fault');
      },
    ]) {
      const provider = await openProvider(takeOver, { tls: true });
      const client = await rawLogin(provider.port);
      expect(await client.say('ATRN')).toMatch(/^250/);
      await client.closed();
      expect(provider.errors).toEqual([expect.objectContaining({ message: 'fault' })]);
      await expect.poll(() => provider.server.sessions).toBe(0);
    }
  });

  it('CMD-ATRN-3 counts for the server until it is closed, and is closed with it', async () => {
    const provider = await openProvider(() => {}, { tls: true });
    const client = await rawLogin(provider.port);
    expect(await client.say('ATRN')).toMatch(/^250/);
    expect(provider.server.sessions).toBe(1);
    await provider.server.close({ grace: 0 });
    expect(await client.closed()).toBe('');
    expect(provider.server.sessions).toBe(0);
  });

  it('CMD-ATRN-3 comes about by no answer but a new owner', async () => {
    const server = createServer({
      hostname: 'odmr.example.test',
      tls: testCertificate,
      onError: () => {},
      handlers: {
        authenticate: async () => ({ login: 'branch' }),
        // @ts-expect-error A reply that is positive takes nothing over.
        atrn: async () => undefined,
        async message() {
          return reply(250, '2.0.0', 'Ok');
        },
      },
    });
    onTestFinished(() => server.close({ grace: 0 }));
    const address = await server.listen({ role: 'odmr', host: '127.0.0.1', port: 0 });
    const client = await rawLogin('port' in address ? address.port : 0);
    expect(await client.say('ATRN')).toMatch(/^451 4\.3\.0/);
    expect(await client.say('QUIT')).toMatch(/^221/);
  });

  it('CMD-ATRN-1 needs somebody who can answer ATRN and a login', async () => {
    const server = createServer({
      hostname: 'odmr.example.test',
      handlers: { message: async () => reply(250, '2.0.0', '') },
    });
    await expect(server.listen({ role: 'odmr', port: 0 })).rejects.toMatchObject({ kind: 'invalid' });
  });
});
