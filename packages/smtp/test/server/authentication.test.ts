import { X509Certificate } from 'node:crypto';
import type { ClientCredentials, ClientMechanismName } from '@posthorn/smtp/client';
import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { reply } from '@posthorn/smtp/reply/reply';
import { ntHash } from '@posthorn/smtp/sasl/ntlm';
import { composeNegotiate } from '@posthorn/smtp/sasl/ntlm-message';
import { keysOf, type ScramHash, saltPassword } from '@posthorn/smtp/sasl/scram-keys';
import {
  type Credentials,
  createServer,
  type MechanismName,
  type ServerHandlers,
  type ServerOptions,
} from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../laws/socket-client.ts';
import { otherCertificate, testCertificate } from '../laws/test-certificate.ts';

const salt = Buffer.from('salt of the user');
const derived = (hash: ScramHash, password: string) =>
  keysOf(hash, saltPassword(hash, password, { salt, iterations: 4096 }), { salt, iterations: 4096 });
const keys = { 'SHA-1': derived('SHA-1', 'secret'), 'SHA-256': derived('SHA-256', 'secret') };
const wrong = reply(535, '5.7.8', 'Authentication credentials invalid');
const fingerprint = new X509Certificate(otherCertificate.cert).fingerprint256.replaceAll(':', '').toLowerCase();

function decide(credentials: Credentials): { login: string } | typeof wrong {
  switch (credentials.mechanism) {
    case 'PLAIN':
    case 'LOGIN':
      return credentials.password === 'secret' ? { login: credentials.user } : wrong;
    case 'OAUTHBEARER':
    case 'XOAUTH2':
      return credentials.token === 'good-token' ? { login: credentials.user } : wrong;
    case 'EXTERNAL':
      return credentials.certificate?.fingerprint === fingerprint && credentials.authorizeAs !== 'bob'
        ? { login: 'ann' }
        : wrong;
    case 'CRAM-MD5':
      return credentials.proves('secret') ? { login: credentials.user } : wrong;
    case 'NTLM':
      return credentials.provesHash(ntHash('secret')) ? { login: credentials.user } : wrong;
    // Whoever forgets to look whether it was proven lets nobody in by that.
    default:
      return { login: credentials.user };
  }
}

interface Given extends Partial<ServerOptions> {
  readonly mechanisms?: readonly MechanismName[];
  readonly askForCertificate?: boolean;
}

/** A server with a listener for mail, which keeps what it was asked. */
async function open({ mechanisms, askForCertificate = false, ...options }: Given = {}) {
  const asked: Credentials[] = [];
  const handlers: ServerHandlers = {
    async authenticate(_session, credentials) {
      asked.push(credentials);
      return decide(credentials);
    },
    scramKeys: async (_session, { user, hash }) => {
      if (user === 'down') throw new Error('the directory is down');
      return user === 'ann' ? keys[hash] : undefined;
    },
    async message(_session, _transaction, text) {
      for await (const _ of text);
      return reply(250, '2.0.0', 'Ok: queued as 1');
    },
  };
  const server = createServer({
    hostname: 'mx.example.test',
    handlers,
    tls: testCertificate,
    onError: () => {},
    limits: { errorDelay: 0 },
    tokens: { scope: 'mail' },
    ...options,
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({
    role: 'mx',
    host: '127.0.0.1',
    port: 0,
    askForCertificate,
    ...(mechanisms && { mechanisms }),
  });
  const port = 'port' in address ? address.port : 0;
  return { server, asked, port };
}

function connect(port: number, credentials: ClientCredentials, more: Partial<ConnectOptions> = {}) {
  return openConnection({
    host: '127.0.0.1',
    port,
    serverName: 'mx.example.test',
    tls: 'starttls',
    tlsMaterial: { ca: testCertificate.cert },
    name: 'client.example.test',
    credentials,
    ...more,
  });
}

/** Logs in and sends a message in the same session; gives what the server was asked. */
async function logIn(given: Given, credentials: ClientCredentials, more: Partial<ConnectOptions> = {}) {
  const { asked, port } = await open(given);
  await using connection = await connect(port, credentials, more);
  const { recipients } = await connection.send({
    envelope: { from: 'ann@x.test', to: ['bob@y.test'] },
    text: 'Subject: x\r\n\r\nHello\r\n',
  });
  expect(recipients).toMatchObject([{ kind: 'accepted' }]);
  return asked.map(({ mechanism }) => mechanism);
}

function refusal(connection: Promise<unknown>): Promise<{ kind?: string; code?: number | undefined; text?: string }> {
  return connection.then(
    () => ({ kind: 'logged in' }),
    (error: { kind: string; message: string; reply?: { code: number } }) => ({
      kind: error.kind,
      code: error.reply?.code,
      text: error.message,
    }),
  );
}

const ann = { user: 'ann', password: 'secret' };
const everything = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'PLAIN',
  'LOGIN',
] as const;

describe('a client logs in to a server', () => {
  it('CMD-AUTH-12 CMD-AUTH-17 by the strongest way that both know, and goes on without another EHLO', async () => {
    expect(await logIn({}, ann)).toEqual(['SCRAM-SHA-256-PLUS']);
    expect(await logIn({ mechanisms: ['LOGIN', 'PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] }, ann)).toEqual([
      'SCRAM-SHA-256',
    ]);
    expect(await logIn({ mechanisms: ['PLAIN', 'LOGIN'] }, ann)).toEqual(['PLAIN']);
  });

  it.each(everything)('CMD-AUTH-12 CMD-AUTH-17 by %s, and goes on in the same session', async (name) => {
    expect(await logIn({ mechanisms: [...everything] }, ann, { mechanisms: [name] })).toEqual([name]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('CMD-AUTH-12 with the login bound to %s', async (version) => {
    const { port } = await open();
    const client = SocketClient.connect({ port });
    onTestFinished(() => client.destroy());
    await client.reply();
    await client.say('EHLO client.example.test', 'STARTTLS');
    const socket = await client.secure({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    expect(await client.say('EHLO client.example.test')).toMatch(/AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN/);
    const flag = version === 'TLSv1.3' ? 'tls-exporter' : 'tls-server-end-point';
    const other = version === 'TLSv1.3' ? 'tls-server-end-point' : 'tls-exporter';
    const first = (type: string) => Buffer.from(`p=${type},,n=ann,r=mine`).toString('base64');
    expect(await client.say(`AUTH SCRAM-SHA-256-PLUS ${first(flag)}`)).toMatch(/^334 /);
    expect(await client.say('*')).toMatch(/^501 5\.7\.0 /);
    expect(await client.say(`AUTH SCRAM-SHA-256-PLUS ${first(other)}`)).toMatch(
      version === 'TLSv1.3' ? /^334 / : /^535 5\.7\.8 /,
    );
  });

  it('CMD-AUTH-12 over TLS 1.2, bound by the certificate of the host', async () => {
    const { createSecureContext } = await import('node:tls');
    const secureContext = createSecureContext({ ca: testCertificate.cert, maxVersion: 'TLSv1.2' });
    const more = { tlsMaterial: { secureContext }, mechanisms: ['SCRAM-SHA-256-PLUS'] as ClientMechanismName[] };
    expect(await logIn({}, ann, more)).toEqual(['SCRAM-SHA-256-PLUS']);
  });

  it('CMD-AUTH-12 CMD-AUTH-18 in vain with a wrong password, or as nobody, with the same words and the same exchange', async () => {
    const { port, asked } = await open();
    const bad = await refusal(connect(port, { user: 'ann', password: 'guess' }));
    expect(bad).toMatchObject({ kind: 'authentication', code: 535 });
    expect(await refusal(connect(port, { user: 'nobody', password: 'guess' }))).toEqual(bad);
    expect(asked).toMatchObject([
      { user: 'ann', proven: false },
      { user: 'nobody', proven: false },
    ]);
    expect(await refusal(connect(port, { user: 'down', password: 'guess' }))).toMatchObject({ code: 454 });
  });

  it('CMD-AUTH-12 with the signature of the server in a last challenge, whose answer is an empty line', async () => {
    const { port } = await open({ allowCleartextAuth: true });
    const client = SocketClient.connect({ port });
    onTestFinished(() => client.destroy());
    await client.reply();
    await client.say('EHLO client.example.test');
    const { scramClient } = await import('@posthorn/smtp/sasl/scram-client');
    const start = async () => {
      const exchange = scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'mine' }).client({
        ...ann,
        authorizeAs: '',
      });
      const challenge = await client.say(`AUTH SCRAM-SHA-256 ${exchange.initial?.toString('base64')}`);
      const answer = exchange.next(Buffer.from(challenge.slice(4), 'base64')) ?? Buffer.alloc(0);
      const last = await client.say(answer.toString('base64'));
      expect(last).toMatch(/^334 dj/);
      return { exchange, last };
    };
    await start();
    expect(await client.say('bm90aGluZw==')).toMatch(/^501 5\.5\.2 /);
    await start();
    expect(await client.say('*')).toMatch(/^501 5\.7\.0 /);
    const { exchange, last } = await start();
    expect(exchange.next(Buffer.from(last.slice(4), 'base64'))).toHaveLength(0);
    expect(await client.say('')).toMatch(/^235 2\.7\.0 /);
    // Nothing of before is forgotten: there is no security layer.
    expect(await client.say('MAIL FROM:<ann@x.test> BODY=8BITMIME')).toMatch(/^250 /);
  });

  it.each(['OAUTHBEARER', 'XOAUTH2'] as const)('CMD-AUTH-13 by a token, with %s', async (name) => {
    const tokens: string[] = ['good-token'];
    const given = { mechanisms: [name, 'PLAIN'] as const };
    expect(await logIn(given, { user: 'ann', token: 'good-token' })).toEqual([name]);
    expect(await logIn(given, { user: 'ann', token: async () => tokens.pop() ?? '' })).toEqual([name]);
    const { port } = await open(given);
    expect(await refusal(connect(port, { user: 'ann', token: 'bad-token' }))).toMatchObject({
      kind: 'authentication',
      code: 535,
    });
    const failing = connect(port, { user: 'ann', token: () => Promise.reject(new Error('no token')) });
    expect(await refusal(failing)).toMatchObject({ kind: 'authentication' });
  });

  it('CMD-AUTH-13 CMD-AUTH-6 the token is refused behind its reason, and the session goes on', async () => {
    const { port } = await open({ mechanisms: ['OAUTHBEARER', 'XOAUTH2'], allowCleartextAuth: true });
    const client = SocketClient.connect({ port });
    onTestFinished(() => client.destroy());
    await client.reply();
    await client.say('EHLO client.example.test');
    const bearer = Buffer.from('n,,\x01auth=Bearer bad\x01\x01').toString('base64');
    const reason = await client.say(`AUTH OAUTHBEARER ${bearer}`);
    expect(Buffer.from(reason.slice(4), 'base64').toString()).toBe('{"status":"invalid_token","scope":"mail"}');
    expect(await client.say('AQ==')).toMatch(/^535 5\.7\.8 /);
    const other = Buffer.from('user=ann\x01auth=Bearer bad\x01\x01').toString('base64');
    expect(await client.say(`AUTH XOAUTH2 ${other}`)).toMatch(/^334 /);
    expect(await client.say('')).toMatch(/^535 5\.7\.8 /);
    expect(await client.say('NOOP')).toMatch(/^250 /);
  });

  it('CMD-AUTH-15 by its certificate, which is asked for only where it may be enough', async () => {
    const tlsMaterial = { ca: testCertificate.cert, ...otherCertificate };
    const external = { external: true } as const;
    expect(await logIn({ askForCertificate: true }, external, { tlsMaterial })).toEqual(['EXTERNAL']);
    expect(await logIn({ askForCertificate: true }, { external: true, authorizeAs: 'ann' }, { tlsMaterial })).toEqual([
      'EXTERNAL',
    ]);
    const { port, asked } = await open({ askForCertificate: true });
    const wrongName = connect(port, { external: true, authorizeAs: 'bob' }, { tlsMaterial });
    expect(await refusal(wrongName)).toMatchObject({ code: 535 });
    expect(await refusal(connect(port, external))).toMatchObject({ code: 535 });
    const unknown = { ca: testCertificate.cert, ...testCertificate };
    expect(await refusal(connect(port, external, { tlsMaterial: unknown }))).toMatchObject({ code: 535 });
    expect(asked.map((each) => each.mechanism === 'EXTERNAL' && each.certificate?.fingerprint === fingerprint)).toEqual(
      [true, false, false],
    );
    const silent = await open();
    const offered = await refusal(connect(silent.port, external, { tlsMaterial }));
    expect(offered).toMatchObject({ kind: 'authentication', text: expect.stringContaining('no AUTH mechanism') });
    const named = await open({ mechanisms: ['EXTERNAL'] });
    expect(await refusal(connect(named.port, external, { tlsMaterial }))).toMatchObject({ code: 535 });
    expect(named.asked).toEqual([{ mechanism: 'EXTERNAL', user: '', authorizeAs: '' }]);
  });

  it('CMD-AUTH-15 CMD-TLS-9 by a session that is taken up again, too', async () => {
    const { port, asked } = await open({ askForCertificate: true });
    let session: Buffer | undefined;
    for (let turn = 0; turn < 2; turn += 1) {
      const client = SocketClient.connect({ port });
      await client.reply();
      await client.say('EHLO client.example.test', 'STARTTLS');
      const socket = await client.secure({ ...otherCertificate, maxVersion: 'TLSv1.2', ...(session && { session }) });
      session ??= socket.getSession();
      expect(socket.isSessionReused()).toBe(turn === 1);
      await client.say('EHLO client.example.test');
      expect(await client.say('AUTH EXTERNAL =')).toMatch(/^235 /);
      client.destroy();
    }
    expect(asked).toHaveLength(2);
  });

  it('CMD-AUTH-14 by NTLM, where it is asked for and on offer', async () => {
    expect(await logIn({ mechanisms: ['NTLM', 'PLAIN'] }, ann, { mechanisms: ['NTLM'] })).toEqual(['NTLM']);
    const domain = { user: 'OFFICE\\ann', password: 'secret' };
    expect(await logIn({ mechanisms: ['NTLM'] }, domain, { mechanisms: ['NTLM'] })).toEqual(['NTLM']);
    const { port } = await open({ mechanisms: ['NTLM'] });
    expect(await refusal(connect(port, { user: 'ann', password: 'guess' }, { mechanisms: ['NTLM'] }))).toMatchObject({
      code: 535,
    });
    expect(await refusal(connect(port, ann))).toMatchObject({ text: expect.stringContaining('no AUTH mechanism') });
  });

  it('CMD-AUTH-14 asks in words where nothing came with the command, and can be cancelled', async () => {
    const { port } = await open({ mechanisms: ['NTLM'], allowCleartextAuth: true });
    const client = SocketClient.connect({ port });
    onTestFinished(() => client.destroy());
    await client.reply();
    await client.say('EHLO client.example.test');
    expect(await client.say('AUTH NTLM')).toBe('334 NTLM supported');
    expect(await client.say(composeNegotiate().toString('base64'))).toMatch(/^334 TlRMTVNTUAAC/);
    expect(await client.say('*')).toMatch(/^501 5\.7\.0 /);
    expect(await client.say('AUTH NTLM')).toBe('334 NTLM supported');
    expect(await client.say('*')).toMatch(/^501 5\.7\.0 /);
    expect(await client.say(`AUTH NTLM ${composeNegotiate().toString('base64')}`)).toMatch(/^334 TlRMTVNTUAAC/);
    expect(await client.say('bm90aGluZw==')).toMatch(/^501 5\.5\.2 /);
    expect(await client.say('AUTH SCRAM-SHA-256')).toMatch(/^504 5\.5\.4 /);
    const usual = await open({ allowCleartextAuth: true });
    const other = SocketClient.connect({ port: usual.port });
    onTestFinished(() => other.destroy());
    await other.reply();
    await other.say('EHLO client.example.test');
    expect(await other.say('AUTH NTLM')).toMatch(/^504 5\.5\.4 /);
  });

  it('CMD-AUTH-8 CMD-AUTH-12 never in the clear, unless it is told how', async () => {
    const { port } = await open();
    const clear = { tls: 'none' } as const;
    expect(await refusal(connect(port, ann, clear))).toMatchObject({
      text: expect.stringContaining('no AUTH mechanism'),
    });
    const unverified = { tls: 'starttls', verify: false, tlsMaterial: {} } as const;
    expect(await refusal(connect(port, ann, unverified))).toMatchObject({ kind: 'authentication' });
    const named = { ...clear, mechanisms: ['SCRAM-SHA-256'] } as const;
    expect(await refusal(connect(port, ann, named))).toMatchObject({
      text: expect.stringContaining('no AUTH mechanism'),
    });
    const lax = await open({ allowCleartextAuth: true });
    expect(await refusal(connect(lax.port, ann, clear))).toMatchObject({
      text: expect.stringContaining('only through TLS'),
    });
    await using connection = await connect(lax.port, ann, named);
    expect(connection.privacy).toBe('clear');
  });

  it('CMD-AUTH-1 refuses mechanisms that the credentials cannot be used with', async () => {
    const { port } = await open();
    for (const [credentials, mechanisms] of [
      [ann, ['OAUTHBEARER']],
      [{ user: 'ann', token: 'x' }, ['PLAIN']],
      [{ external: true }, ['SCRAM-SHA-256']],
      [{ user: 'a\0b', token: 'x' }, ['XOAUTH2']],
    ] as const) {
      await expect(connect(port, credentials, { mechanisms })).rejects.toMatchObject({ kind: 'invalid' });
    }
  });
});
