import type { Socket } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import {
  createServer,
  type Role,
  type Server,
  type ServerHandlers,
  type ServerOptions,
  type Session,
} from '@posthorn/smtp/server';
import { createTransport } from 'nodemailer';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SocketClient } from '../laws/socket-client.ts';
import { streamPair } from '../laws/stream-pair.ts';
import { testCertificate } from '../laws/test-certificate.ts';

const queued = reply(250, '2.0.0', 'Ok: queued as 1');

interface Opened {
  readonly server: Server;
  readonly errors: unknown[];
  readonly port: number;
  /** A client that has read the greeting. */
  greeted(): Promise<SocketClient>;
}

async function readAll(text: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of text) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

/** A server with one listener; its message handler reads the text and says yes, where nothing else is given. */
async function open(
  handlers: Partial<ServerHandlers> = {},
  { role = 'mx', ...options }: Partial<ServerOptions> & { role?: Role } = {},
): Promise<Opened> {
  const errors: unknown[] = [];
  const message: ServerHandlers['message'] = async (_session, _transaction, text) => {
    await readAll(text);
    return queued;
  };
  const server = createServer({
    hostname: 'mx.example.test',
    handlers: { message, ...handlers },
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
  const port = 'port' in address ? address.port : 0;
  return {
    server,
    errors,
    port,
    async greeted() {
      const client = SocketClient.connect({ port });
      onTestFinished(() => client.destroy());
      await client.reply();
      return client;
    },
  };
}

const transaction = ['EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>'];

describe('handlers', () => {
  it('EX-1 CMD-DATA-6 CMD-EHLO-5 see the session as it stands, and the whole transaction', async () => {
    const seen: unknown[] = [];
    const { greeted } = await open(
      {
        connect: (session) => void seen.push([session.hello, session.state]),
        hello: (session, hello) => void seen.push([session.hello, hello]),
        recipient: (session, { mailbox }, { recipients }) => {
          seen.push([session.hello?.name, mailbox.localPart, recipients.length]);
          return mailbox.localPart === 'green' ? reply(550, '5.1.1', 'No such user') : undefined;
        },
        async message(session, { reversePath, recipients }, text) {
          seen.push([session.clientAddress, reversePath, recipients.map(({ mailbox }) => mailbox.localPart)]);
          seen.push([await readAll(text), text.size]);
          return queued;
        },
        close: (session) => void seen.push(session.id.length > 0),
      },
      { state: () => 'mine' },
    );
    const client = await greeted();
    await client.say(...transaction, 'RCPT TO:<green@y.test>', 'RCPT TO:<brown@y.test>', 'DATA');
    client.send('..a\r\n.\r\n');
    expect(await client.reply()).toBe('250 2.0.0 Ok: queued as 1');
    expect(await client.say('QUIT')).toMatch(/^221 2\.0\.0/);
    client.stream.end();
    await expect.poll(() => seen.at(-1)).toBe(true);
    expect(seen.slice(0, -1)).toEqual([
      [undefined, 'mine'],
      [undefined, { verb: 'EHLO', name: 'client.test' }],
      ['client.test', 'b', 0],
      ['client.test', 'green', 1],
      ['client.test', 'brown', 1],
      ['127.0.0.1', { localPart: 'a', domain: 'x.test' }, ['b', 'brown']],
      ['.a\r\n', 4],
    ]);
  });

  it('CMD-RCPT-3 CMD-RCPT-4 REP-550 refuse what they want to, each at its step', async () => {
    const no = (text: string): Reply => reply(550, '5.7.1', text);
    const { greeted } = await open({
      mail: async (_, { reversePath }) => (reversePath?.domain === 'bad.test' ? no('mail') : undefined),
      recipient: (_, { mailbox }) => (mailbox.domain === 'y.test' ? undefined : no('relaying denied')),
      data: (_, { recipients }) => (recipients.length > 1 ? no('data') : undefined),
      verify: () => no('verify'),
    });
    const client = await greeted();
    expect(await client.say('EHLO client.test', 'MAIL FROM:<a@bad.test>')).toBe('550 5.7.1 mail');
    expect(await client.say('MAIL FROM:<a@x.test>', 'RCPT TO:<b@z.test>')).toBe('550 5.7.1 relaying denied');
    expect(await client.say('VRFY b')).toBe('550 5.7.1 verify');
    expect(await client.say('RCPT TO:<b@y.test>', 'RCPT TO:<c@y.test>', 'DATA')).toBe('550 5.7.1 data');
    expect(await client.say('NOOP')).toBe('250 2.0.0 Ok');
  });

  it('CMD-DATA-7 GEN-15 REP-451 earn one 451 when they throw, early or late, and the text is read all the same', async () => {
    const fault = new Error('a fault of ours');
    for (const isEarly of [true, false]) {
      const { greeted, errors } = await open({
        async message(_session, _transaction, text) {
          if (!isEarly) await readAll(text);
          throw fault;
        },
      });
      const client = await greeted();
      await client.say(...transaction, 'DATA');
      client.send(`${'x'.repeat(100_000)}\r\n.\r\nNOOP\r\n`);
      expect(await client.reply()).toBe('451 4.3.0 Local error in processing');
      expect(await client.reply()).toBe('250 2.0.0 Ok');
      expect(errors).toEqual([fault]);
    }
  });

  it('CMD-DATA-9 ENH-3/4.3.1 REP-452 say 452 4.3.1 when there is no room', async () => {
    const { greeted, errors } = await open({
      async message(_session, _transaction, text) {
        await readAll(text);
        throw new Failure('full', 'No space left on device');
      },
    });
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    expect(await client.say('.')).toBe('452 4.3.1 Insufficient system storage');
    expect(errors).toHaveLength(1);
  });

  it('CLI-DUP-1 SEC-RES-1 that take too long for the message earn 451, and the session goes on', async () => {
    const { greeted, errors } = await open(
      {
        async message(_session, { recipients }, text) {
          await readAll(text);
          if (recipients.length === 1) await new Promise(() => {});
          return queued;
        },
      },
      { limits: { handlerTime: 30 } },
    );
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    expect(await client.say('.')).toBe('451 4.3.0 Local error in processing');
    await client.say(...transaction, 'RCPT TO:<c@y.test>', 'DATA');
    expect(await client.say('.')).toBe('250 2.0.0 Ok: queued as 1');
    expect(errors).toMatchObject([{ kind: 'timeout' }]);
  });

  it('CLI-DUP-1 are told by a signal that it is too late to keep the message', async () => {
    const told: unknown[] = [];
    const { greeted } = await open(
      {
        async message(_session, _transaction, text) {
          await readAll(text);
          expect(text.signal.aborted).toBe(false);
          await new Promise((resolve) => text.signal.addEventListener('abort', resolve));
          told.push(text.signal.reason);
          return queued;
        },
      },
      { limits: { handlerTime: 30 } },
    );
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    expect(await client.say('.')).toBe('451 4.3.0 Local error in processing');
    await expect.poll(() => told).toMatchObject([{ kind: 'timeout' }]);
  });

  it('SUB-15 on submission have two minutes for a command and for the final dot', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const slow = () => new Promise<never>(() => {});
    const { server } = await open(
      {
        authenticate: async () => ({ login: 'ann' }),
        recipient: (_session, { mailbox }) => (mailbox.localPart === 'slow' ? slow() : undefined),
        message: slow,
      },
      { allowCleartextAuth: true, limits: { errors: 100 } },
    );
    const [near, far] = streamPair();
    server.acceptStream(far, { role: 'submission' });
    let said = '';
    near.on('data', (octets: Buffer) => {
      said += octets.toString();
    });
    near.write(`EHLO c.test\r\nAUTH PLAIN ${Buffer.from('\0ann\0x').toString('base64')}\r\nMAIL FROM:<a@x.test>\r\n`);
    near.write('RCPT TO:<slow@y.test>\r\n');
    await expect.poll(() => said).toMatch(/235 .*\r\n250 .*\r\n$/);
    vi.advanceTimersByTime(119_000);
    await expect.poll(() => said).toMatch(/\r\n451 4\.3\.0 .*\r\n$/);
    near.write('RCPT TO:<b@y.test>\r\nDATA\r\n');
    await expect.poll(() => said).toMatch(/354 .*\r\n$/);
    near.write('Hello\r\n.\r\n');
    await expect.poll(() => near.writableLength).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(119_000);
    await expect.poll(() => said).toMatch(/354 .*\r\n451 4\.3\.0 .*\r\n$/);
  });

  it('SEC-RES-1 CLI-DUP-1 that never read a long text do not hold the session for longer than they may', async () => {
    const { greeted } = await open({ message: () => new Promise(() => {}) }, { limits: { handlerTime: 50 } });
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    client.send(`${`${'x'.repeat(998)}\r\n`.repeat(2000)}.\r\nNOOP\r\n`);
    expect(await client.reply()).toBe('451 4.3.0 Local error in processing');
    expect(await client.reply()).toBe('250 2.0.0 Ok');
  });

  it('may answer before the text is there: no takes effect at its end, and the rest is dropped', async () => {
    const { greeted } = await open({ message: async () => reply(554, '5.7.1', 'I do not even look') });
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    client.send(`${'x'.repeat(1_000_000)}\r\n.\r\n`);
    expect(await client.reply()).toBe('554 5.7.1 I do not even look');
    await client.say(...transaction);
    client.send('BDAT 3\r\nabcBDAT 3 LAST\r\ndef');
    await client.reply();
    expect(await client.reply()).toMatch(/^5/);
  });

  it('REP-503 CMD-BDAT-4 may leave the loop over a chunked text, which the next chunk then learns', async () => {
    const { greeted } = await open({
      async message(_session, _transaction, text) {
        for await (const piece of text) if (piece.includes('spam')) return reply(550, '5.7.1', 'Spam');
        return queued;
      },
    });
    const client = await greeted();
    await client.say(...transaction);
    client.send('BDAT 4\r\nspam');
    expect(await client.reply()).toMatch(/^(?:250 2\.0\.0|550 5\.7\.1) /);
    client.send('BDAT 1\r\nx');
    expect(await client.reply()).toMatch(/^5/);
  });

  it('GEN-3 CMD-DATA-9 get a Failure from the text that is refused, and no word in what the client is told', async () => {
    const failures: unknown[] = [];
    const { greeted, errors } = await open(
      {
        async message(_session, _transaction, text) {
          try {
            await readAll(text);
          } catch (failure) {
            failures.push(failure);
            throw failure;
          }
          return queued;
        },
      },
      { limits: { messageSize: 100 } },
    );
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    client.send('a\nb\r\n.\r\n');
    expect(await client.reply()).toMatch(/^550 5\.5\.2 /);
    await client.say(...transaction, 'DATA');
    client.send(`${'x'.repeat(200)}\r\n.\r\n`);
    expect(await client.reply()).toMatch(/^552 5\.3\.4 /);
    expect(failures).toMatchObject([{ kind: 'invalid' }, { kind: 'limit' }]);
    expect(errors).toEqual([]);
  });

  it('GEN-23 CMD-RSET-1 get a Failure from the text of a client that breaks off, or gives it up', async () => {
    const failures: unknown[] = [];
    const { greeted } = await open({
      message: (_session, _transaction, text) =>
        readAll(text).then(
          () => queued,
          (failure) => {
            failures.push(failure);
            return queued;
          },
        ),
    });
    const client = await greeted();
    await client.say(...transaction);
    client.send('BDAT 3\r\nabc');
    await client.reply();
    expect(await client.say('RSET')).toBe('250 2.0.0 Ok');
    await client.say(...transaction, 'DATA');
    client.send('half a text');
    await new Promise(setImmediate);
    client.destroy();
    await expect.poll(() => failures).toMatchObject([{ kind: 'aborted' }, { kind: 'lost' }]);
  });
});

describe('back-pressure', () => {
  it('SEC-RES-1 keeps a slow handler from filling the memory, and loses nothing', async () => {
    let go: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      go = resolve;
    });
    let octets = 0;
    let seen: { readonly size: number } | undefined;
    const { greeted } = await open(
      {
        async message(_session, _transaction, text) {
          seen = text;
          await started;
          for await (const piece of text) octets += piece.length;
          return queued;
        },
      },
      { limits: { messageSize: 0 } },
    );
    const client = await greeted();
    await client.say(...transaction, 'DATA');
    const block = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(64));
    const blocks = 500;
    for (let count = 0; count < blocks; count += 1) client.stream.write(block);
    // Nothing more moves: the handler's queue is full, and the connection is not read.
    await expect.poll(() => seen?.size, { interval: 20 }).toBeGreaterThanOrEqual(262_144);
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect(seen?.size).toBeLessThan(262_144 + 3 * 65_536);
    expect((client.stream as Socket).writableLength).toBeGreaterThan(1_000_000);
    go();
    expect(await client.say('.')).toBe('250 2.0.0 Ok: queued as 1');
    expect(octets).toBe(blocks * block.length);
  });
});

describe('LMTP', () => {
  const deliveries = [
    'EHLO'.replace('E', 'L').concat(' client.test'),
    ...transaction.slice(1),
    'RCPT TO:<c@y.test>',
    'RCPT TO:<b@y.test>',
    'DATA',
  ];

  async function finish(handlers: Partial<ServerHandlers>): Promise<string[]> {
    const { greeted } = await open(handlers, { role: 'lmtp' });
    const client = await greeted();
    await client.say(...deliveries);
    client.send('hi\r\n.\r\nNOOP\r\n');
    return [await client.reply(), await client.reply(), await client.reply(), await client.reply()].map((said) =>
      said.slice(0, 9),
    );
  }

  it('LMTP-3 LMTP-7 gives a list of replies one by one, fills up a short one, and gives one reply to all', async () => {
    const list = [reply(250, '2.1.5', 'Ok'), reply(452, '4.2.2', 'Quota'), reply(550, '5.2.1', 'Off')];
    expect(await finish({ message: async () => list })).toEqual(['250 2.1.5', '452 4.2.2', '550 5.2.1', '250 2.0.0']);
    expect(await finish({ message: async () => list.slice(0, 1) })).toEqual([
      '250 2.1.5',
      '451 4.3.0',
      '451 4.3.0',
      '250 2.0.0',
    ]);
    expect(await finish({ message: async () => queued })).toEqual(Array(4).fill('250 2.0.0'));
    expect(await finish({ message: () => Promise.reject(new Error('x')) })).toEqual([
      ...Array(3).fill('451 4.3.0'),
      '250 2.0.0',
    ]);
  });

  it('LMTP-3 sends each reply as soon as it is known', async () => {
    let deliver: () => void = () => {};
    const second = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    const { greeted } = await open(
      {
        async *message(_session, { recipients }, text) {
          await readAll(text);
          for (const [index, { mailbox }] of recipients.entries()) {
            if (index === 1) await second;
            yield reply(250, '2.1.5', mailbox.localPart);
          }
        },
      },
      { role: 'lmtp' },
    );
    const client = await greeted();
    await client.say(...deliveries);
    expect(await client.say('.')).toBe('250 2.1.5 b');
    deliver();
    expect([await client.reply(), await client.reply()]).toEqual(['250 2.1.5 c', '250 2.1.5 b']);
  });

  it('LMTP-2 is not to be had on port 25', async () => {
    const { server } = await open();
    await expect(server.listen({ role: 'lmtp', host: '127.0.0.1', port: 25 })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });
});

describe('submission', () => {
  const authenticate: ServerHandlers['authenticate'] = async (_session, { user, password }) =>
    user === 'alice' && password === 'secret' ? { login: 'alice' } : reply(535, '5.7.8', 'Credentials invalid');

  it.each(['submission', 'submissions'] as const)(
    'CMD-AUTH-21 CMD-AUTH-7 CMD-TLS-6 takes mail from Nodemailer in the role %s, within TLS and after AUTH',
    async (role) => {
      const seen: Partial<Session>[] = [];
      const { port } = await open(
        {
          authenticate,
          async message({ login, tls, hello }, _transaction, text) {
            seen.push({ login, tls, hello });
            expect(await readAll(text)).toContain('\r\n.a dot\r\n');
            return queued;
          },
        },
        { role, tls: testCertificate },
      );
      const transport = createTransport({
        host: '127.0.0.1',
        port,
        secure: role === 'submissions',
        requireTLS: true,
        name: 'client.test',
        auth: { user: 'alice', pass: 'secret' },
        tls: { ca: testCertificate.cert, servername: 'mx.example.test' },
      });
      const { response } = await transport.sendMail({
        from: 'alice@x.test',
        to: ['b@y.test', 'c@y.test'],
        text: 'one\n.a dot\n',
      });
      transport.close();
      expect(response).toBe('250 2.0.0 Ok: queued as 1');
      expect(seen).toMatchObject([
        { login: 'alice', tls: { protocol: 'TLSv1.3', serverName: 'mx.example.test' }, hello: { name: 'client.test' } },
      ]);
    },
  );

  it('CMD-AUTH-8 CMD-AUTH-5 offers no AUTH in clear text, unless the operator says so by name', async () => {
    const safe = await open({ authenticate });
    const client = await safe.greeted();
    expect(await client.say('EHLO client.test')).not.toMatch(/AUTH/);
    expect(await client.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==')).toMatch(/^503 5\.5\.1 /);
    const unsafe = await open({ authenticate }, { role: 'submission', allowCleartextAuth: true });
    const careless = await unsafe.greeted();
    expect(await careless.say('EHLO client.test')).toMatch(/AUTH PLAIN LOGIN/);
    expect(await careless.say('MAIL FROM:<a@x.test>')).toMatch(/^530 5\.7\.0 /);
    expect(await careless.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==')).toMatch(/^235 2\.7\.0 /);
    expect(await careless.say('MAIL FROM:<a@x.test>')).toMatch(/^250 2\.1\.0 /);
  });

  it('CMD-AUTH-6 REP-454 answers 454 when the look-up of users fails', async () => {
    const { greeted, errors } = await open(
      { authenticate: () => Promise.reject(new Error('the directory is down')) },
      { allowCleartextAuth: true },
    );
    const client = await greeted();
    expect(await client.say('EHLO client.test', 'AUTH PLAIN AGFsaWNlAHNlY3JldA==')).toMatch(/^454 4\.7\.0 /);
    expect(errors).toHaveLength(1);
  });
});

describe('a server', () => {
  it('serves a stream that is open already', async () => {
    const { server } = await open();
    const [near, far] = streamPair();
    server.acceptStream(near, { role: 'mx' });
    const client = new SocketClient(far);
    expect(await client.reply()).toMatch(/^220 mx\.example\.test /);
    await client.say(...transaction, 'DATA');
    expect(await client.say('.')).toBe('250 2.0.0 Ok: queued as 1');
    expect(server.sessions).toBe(1);
    await client.say('QUIT');
    far.end();
    await expect.poll(() => server.sessions).toBe(0);
  });

  it('CMD-TLS-1 begins TLS on a stream in memory, too', async () => {
    const { server } = await open({}, { tls: testCertificate });
    const [near, far] = streamPair();
    server.acceptStream(near, { role: 'mx' });
    const client = new SocketClient(far);
    await client.reply();
    await client.say('EHLO client.test', 'STARTTLS');
    await client.secure();
    expect(await client.say('EHLO client.test')).not.toMatch(/STARTTLS/);
    client.destroy();
  });

  it('reloads its certificate, and keeps the old one when the new one is no good', async () => {
    const { server } = await open({}, { tls: testCertificate });
    expect(() => server.reload({ tls: { cert: 'no certificate', key: testCertificate.key } })).toThrow(Failure);
    server.reload({ tls: testCertificate });
  });

  it('refuses options that cannot be', async () => {
    const handlers = { message: async () => queued };
    expect(() => createServer({ hostname: 'not a name', handlers })).toThrow(/neither a domain/);
    expect(() => createServer({ hostname: 'x.test', handlers, tls: { cert: '', key: '' } })).toThrow(Failure);
    const server = createServer({ hostname: 'x.test', handlers });
    for (const role of ['submission', 'submissions'] as const) {
      await expect(server.listen({ role, port: 0 })).rejects.toMatchObject({ kind: 'invalid' });
    }
    await expect(server.listen({ role: 'mx', port: 0, proxies: ['10.0.0.0/33'] })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  it('ends by itself at the end of its block', async () => {
    let port = 0;
    {
      await using server = createServer({ hostname: 'x.test', handlers: { message: async () => queued } });
      const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
      port = 'port' in address ? address.port : 0;
    }
    const client = SocketClient.connect({ port });
    expect(await client.closed()).toBe('');
  });
});
