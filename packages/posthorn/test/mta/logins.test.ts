import { X509Certificate } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ClientCredentials, ClientMechanismName } from '@posthorn/smtp/client';
import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { ntHash } from '@posthorn/smtp/sasl/ntlm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../../../smtp/test/laws/socket-client.ts';
import { otherCertificate, testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { hashForScram } from '../../src/config/hash-for-scram.ts';
import { hashPassword } from '../../src/config/password.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startSubmission } from './submission-agent.ts';

const secret = 'correct horse';
const password = await hashPassword(secret);
const scramKeys = [hashForScram(secret) ?? '', hashForScram(secret, 'SHA-1') ?? ''];
const fingerprint = new X509Certificate(otherCertificate.cert).fingerprint256;

type Agent = Awaited<ReturnType<typeof startSubmission>>;

function connect(port: number, credentials: ClientCredentials, more: Partial<ConnectOptions> = {}) {
  return openConnection({
    host: '127.0.0.1',
    port,
    serverName: 'mx.example.test',
    tls: 'starttls',
    tlsMaterial: { ca: testCertificate.cert },
    name: 'client.example',
    credentials,
    ...more,
  });
}

/** Logs in and sends as somebody; gives what became of it, or why there was no login. */
async function sendAs(
  agent: Agent,
  credentials: ClientCredentials,
  { from = 'ann@example.org', ...more }: Partial<ConnectOptions> & { from?: string } = {},
) {
  try {
    await using connection = await connect(agent.submission, credentials, more);
    const { recipients } = await connection.send({
      envelope: { from, to: ['bob@example.org'] },
      text: `From: <${from}>\r\nSubject: x\r\n\r\nx\r\n`,
    });
    return `${connection.capabilities.mechanisms[0]}: ${recipients[0]?.kind} ${recipients[0]?.reply?.code}`;
  } catch (error) {
    return String((error as { reply?: { code: number } }).reply?.code ?? error);
  }
}

const withUsers = (users: ConfigInput['users'], more: Partial<ConfigInput> = {}) =>
  ({ users, ...more }) as Partial<ConfigInput>;
const listeners = (mechanisms: readonly string[]) =>
  [
    { role: 'mx', host: '127.0.0.1', port: 0 },
    { role: 'submission', host: '127.0.0.1', port: 0, mechanisms },
  ] as unknown as ConfigInput['listeners'];
const named = (name: ClientMechanismName) => ({ mechanisms: [name] });
const ann = { user: 'ann', password: secret };

describe('logins of the agent', () => {
  it('CMD-AUTH-12 by SCRAM where every user has keys, and by PLAIN alone where one has none', async () => {
    await using all = await startSubmission(
      withUsers({ ann: { password, scramKeys, addresses: ['ann@example.org'] } }),
    );
    expect(await sendAs(all, ann)).toBe('SCRAM-SHA-256-PLUS: accepted 250');
    expect(await sendAs(all, ann, named('SCRAM-SHA-256'))).toBe('SCRAM-SHA-256-PLUS: accepted 250');
    expect(await sendAs(all, ann, named('PLAIN'))).toBe('SCRAM-SHA-256-PLUS: accepted 250');
    expect(await sendAs(all, ann, { from: 'bob@example.org' })).toBe('SCRAM-SHA-256-PLUS: refused 550');
    expect(await sendAs(all, { user: 'ann', password: 'guess' })).toBe('535');
    expect(await sendAs(all, { user: 'nobody', password: 'guess' })).toBe('535');
    await using some = await startSubmission(withUsers({ ann: { password, scramKeys }, bob: { password } }));
    expect(await sendAs(some, ann)).toBe('PLAIN: accepted 250');
  });

  it('CMD-AUTH-12 CMD-AUTH-18 shows the same salt for a user that there is none of, after a restart, too', async () => {
    await using agent = await startSubmission(withUsers({ ann: { password, scramKeys } }));
    const salts = async (port: number) => {
      const client = SocketClient.connect({ port });
      onTestFinished(() => client.destroy());
      await client.reply();
      await client.say('EHLO client.example', 'STARTTLS');
      await client.secure();
      await client.say('EHLO client.example');
      const saltOf = async (user: string) => {
        const reply = await client.say(`AUTH SCRAM-SHA-256 ${Buffer.from(`n,,n=${user},r=x`).toString('base64')}`);
        await client.say('*');
        return /s=([^,]*),i=10000/.exec(Buffer.from(reply.slice(4), 'base64').toString())?.[1];
      };
      return [await saltOf('nobody'), await saltOf('nobody'), await saltOf('ann')];
    };
    const [first, second, real] = await salts(agent.submission);
    expect(first).toBe(second);
    expect(first).toHaveLength(real?.length ?? 0);
    const file = join(agent.test.config.dataDir, 'login-secret');
    expect(statSync(file).size).toBe(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { readLoginSecret } = await import('../../src/mta/login-secret.ts');
    expect(await readLoginSecret(agent.test.config.dataDir)).toEqual(readFileSync(file));
  });

  it('CMD-AUTH-15 by a certificate whose fingerprint is that of a user, and is asked for only then', async () => {
    await using agent = await startSubmission(
      withUsers({ ann: { certificates: [fingerprint] }, bob: { password, networks: ['192.0.2.0/24'] } }),
    );
    const tlsMaterial = { ca: testCertificate.cert, ...otherCertificate };
    expect(await sendAs(agent, { external: true }, { tlsMaterial })).toBe('EXTERNAL: accepted 250');
    expect(await sendAs(agent, { external: true, authorizeAs: 'ann' }, { tlsMaterial })).toBe('EXTERNAL: accepted 250');
    expect(await sendAs(agent, { external: true, authorizeAs: 'bob' }, { tlsMaterial })).toBe('535');
    expect(await sendAs(agent, { external: true })).toBe('535');
    expect(
      await sendAs(agent, { external: true }, { tlsMaterial: { ca: testCertificate.cert, ...testCertificate } }),
    ).toBe('535');
    await using other = await startSubmission(withUsers({ bob: { password } }));
    expect(await sendAs(other, { external: true }, { tlsMaterial })).toContain('no AUTH mechanism');
    // Those who only send mail here are not asked, whoever may log in.
    for (const [port, asks] of [
      [agent.mx, false],
      [agent.submission, true],
      [other.submission, false],
    ] as const) {
      const client = SocketClient.connect({ port });
      await client.reply();
      await client.say('EHLO client.example', 'STARTTLS');
      const socket = await client.secure({ ...otherCertificate, maxVersion: 'TLSv1.2' });
      expect(await client.say('EHLO client.example')).toEqual(
        asks ? expect.stringContaining('EXTERNAL') : expect.not.stringContaining('EXTERNAL'),
      );
      expect(socket.getCertificate()).toBeTruthy();
      client.destroy();
    }
  });

  it('CMD-AUTH-14 by NTLM where the operator names it and a user has its hash', async () => {
    const users = { ann: { ntHash: ntHash(secret).toString('hex') }, bob: { password } };
    await using agent = await startSubmission(withUsers(users, { listeners: listeners(['NTLM']) }));
    expect(await sendAs(agent, ann, named('NTLM'))).toBe('NTLM: accepted 250');
    expect(await sendAs(agent, { user: 'OFFICE\\ann', password: secret }, named('NTLM'))).toBe('NTLM: accepted 250');
    expect(await sendAs(agent, { user: 'ann', password: 'guess' }, named('NTLM'))).toBe('535');
    expect(await sendAs(agent, { user: 'bob', password: secret }, named('NTLM'))).toBe('535');
    expect(await sendAs(agent, { user: 'nobody', password: secret }, named('NTLM'))).toBe('535');
    await using usual = await startSubmission();
    expect(await sendAs(usual, ann, named('NTLM'))).toContain('no AUTH mechanism');
  });

  it('CMD-AUTH-13 by tokens that the introspection knows, as the login that it names', async () => {
    let works = true;
    const service = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += String(piece);
      });
      request.on('end', () => {
        const token = new URLSearchParams(body).get('token');
        const answer =
          token === 'good' ? { active: true, username: 'ann@example.org', scope: 'smtp' } : { active: false };
        response.writeHead(works ? 200 : 500).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void service.close());
    const introspection = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
    await using agent = await startSubmission(withUsers({}, { logins: { oauth: { introspection, scope: 'smtp' } } }));
    for (const name of ['OAUTHBEARER', 'XOAUTH2'] as const) {
      expect(await sendAs(agent, { user: 'ann@example.org', token: 'good' }, named(name))).toBe(
        'OAUTHBEARER: accepted 250',
      );
      expect(await sendAs(agent, { user: 'bob@example.org', token: 'good' }, named(name))).toBe('535');
      expect(await sendAs(agent, { user: 'ann@example.org', token: 'bad-token' }, named(name))).toBe('535');
    }
    expect(await sendAs(agent, { user: '', token: 'good' })).toBe('OAUTHBEARER: accepted 250');
    // Whom nobody here knows but the service sends as nobody else.
    expect(await sendAs(agent, { user: '', token: 'good' }, { from: 'bob@example.org' })).toBe(
      'OAUTHBEARER: refused 550',
    );
    works = false;
    expect(await sendAs(agent, { user: '', token: 'good' })).toBe('454');
    expect(JSON.stringify(agent.test.log.lines)).not.toContain('bad-token');
  });

  it('CMD-AUTH-6 CMD-AUTH-18 knows users of files from the moment that they stand there, and what is faulty says the log', async () => {
    let file = '';
    await using agent = await startSubmission({
      users: { bob: { password } },
      userFiles: ['/nonexistent/posthorn-users'],
    });
    expect(agent.test.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', text: 'a file of users is faulty' }),
    );
    file = join(agent.test.folder, 'users');
    writeFileSync(file, `ann ${password} ann@example.org\n`);
    agent.test.agent.reload({ ...agent.test.config, userFiles: [file] });
    expect(await sendAs(agent, ann)).toBe('PLAIN: accepted 250');
    expect(await sendAs(agent, ann, { from: 'bob@example.org' })).toBe('PLAIN: refused 550');
    expect(await sendAs(agent, { user: 'carl', password: secret })).toBe('535');
    appendFileSync(file, `carl ${password}\nswordfish\n`);
    expect(await sendAs(agent, { user: 'carl', password: secret })).toBe('PLAIN: accepted 250');
    expect(JSON.stringify(agent.test.log.lines)).not.toContain('swordfish');
  });

  it('CMD-AUTH-18 lets nobody guess on, whoever it is, and tells the log where it came from but nothing of what was typed', async () => {
    let now = Date.now();
    const users = { ann: { password, scramKeys } };
    await using agent = await startSubmission(withUsers(users, { logins: { addressFailures: 3 } }), { now: () => now });
    expect(await sendAs(agent, { user: 'ann', password: 'guess-1' })).toBe('535');
    expect(await sendAs(agent, { user: 'typed-password', password: 'guess-2' }, named('PLAIN'))).toBe('535');
    expect(await sendAs(agent, { user: 'ann', password: 'guess-3' }, named('PLAIN'))).toBe('535');
    expect(await sendAs(agent, ann)).toBe('454');
    expect(await sendAs(agent, ann, named('PLAIN'))).toBe('454');
    now += 60 * 60_000;
    expect(await sendAs(agent, ann)).toBe('SCRAM-SHA-256-PLUS: accepted 250');
    const failed = agent.test.log.lines.filter(({ text }) => text === 'a login failed');
    expect(failed.map(({ fields }) => fields)).toEqual([
      { client: '127.0.0.1', mechanism: 'SCRAM-SHA-256-PLUS', login: 'ann' },
      { client: '127.0.0.1', mechanism: 'PLAIN' },
      { client: '127.0.0.1', mechanism: 'PLAIN', login: 'ann' },
    ]);
  });
});
