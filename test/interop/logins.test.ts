import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ClientMechanismName } from '@posthorn/smtp/client';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { ntHash } from '@posthorn/smtp/sasl/ntlm';
import { createTransport } from 'nodemailer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hashForScram } from '../../packages/posthorn/src/config/hash-for-scram.ts';
import { hashPassword } from '../../packages/posthorn/src/config/password.ts';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import { otherCertificate } from '../../packages/smtp/test/laws/test-certificate.ts';
import { startDovecot } from './peers/dovecot.ts';
import { hasPeers, program } from './peers/peer.ts';
import { type Posthorn, password, startPosthorn, user } from './posthorn.ts';

const text = 'From: <ann@example.com>\r\nSubject: Hello\r\n\r\nHello\r\n';
const token = 'good-token';

/** Runs a program with input; its output, or an exception with both of its streams. */
function run(name: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program(name), args, { timeout: 60_000, encoding: 'latin1' }, (error, out, err) =>
      error ? reject(new Error(`${error.message}\n${out.slice(-2000)}\n${err.slice(-2000)}`)) : resolve(out),
    );
    child.stdin?.end(input);
  });
}

/** A service that knows one token. */
async function startIntrospection(): Promise<string> {
  const service = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += String(piece);
    });
    request.on('end', () => {
      const isGood = new URLSearchParams(body).get('token') === token;
      response.end(JSON.stringify(isGood ? { active: true, username: user } : { active: false }));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void service.close());
  return `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
}

interface Agent extends Posthorn {
  /** Files of a certificate that lets the user in. */
  readonly cert: string;
  readonly key: string;
}

/** A Posthorn that offers one way to log in, and a user who has them all. */
async function start(mechanism: string): Promise<Agent> {
  const mechanisms = [mechanism] as NonNullable<
    Extract<ConfigInput['listeners'][number], { role: 'submission' }>['mechanisms']
  >;
  const alice = {
    password: await hashPassword(password),
    scramKeys: [hashForScram(password) ?? '', hashForScram(password, 'SHA-1') ?? ''],
    cramSecret: password,
    ntHash: ntHash(password).toString('hex'),
    certificates: [new X509Certificate(otherCertificate.cert).fingerprint256],
    addresses: ['ann@example.com'],
  };
  const posthorn = await startPosthorn({
    change: {
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'submission', host: '127.0.0.1', port: 0, mechanisms },
      ],
      users: { [user]: alice },
      logins: { oauth: { introspection: await startIntrospection() } },
    },
  });
  const [cert, key] = ['client.pem', 'client.key'].map((name) => join(posthorn.test.folder, name)) as [string, string];
  writeFileSync(cert, otherCertificate.cert);
  writeFileSync(key, otherCertificate.key);
  return { ...posthorn, cert, key };
}

async function expectMail(posthorn: Posthorn): Promise<void> {
  const [mail] = await posthorn.mailbox('bob', 1);
  expect(mail?.toString('latin1')).toMatch(/with ESMTPSA id/);
}

const idOf: Readonly<Record<string, string>> = {
  PLAIN: 'CMD-AUTH-9',
  LOGIN: 'CMD-AUTH-10',
  'CRAM-MD5': 'CMD-AUTH-11',
  'SCRAM-SHA-1': 'CMD-AUTH-12 CMD-AUTH-17',
  'SCRAM-SHA-256': 'CMD-AUTH-12 CMD-AUTH-17',
  OAUTHBEARER: 'CMD-AUTH-13',
  XOAUTH2: 'CMD-AUTH-13',
  NTLM: 'CMD-AUTH-14',
  EXTERNAL: 'CMD-AUTH-15',
};
const ways = (...names: string[]) => names.map((name) => [idOf[name] ?? '', name] as const);

describe.skipIf(!hasPeers('swaks'))('swaks logs in to Posthorn', () => {
  it.each(ways('PLAIN', 'LOGIN', 'CRAM-MD5'))('%s by %s', async (_, name) => {
    await using posthorn = await start(name);
    const to = ['--server', `127.0.0.1:${posthorn.ports.submission}`, '--tls', '--ehlo', 'swaks.example'];
    const auth = ['--auth', name, '--auth-user', user, '--auth-password', password];
    await run('swaks', [...to, ...auth, '--from', 'ann@example.com', '--to', 'bob@example.org']);
    await expectMail(posthorn);
  });
});

describe.skipIf(!hasPeers('msmtp'))('msmtp logs in to Posthorn', () => {
  const all = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'OAUTHBEARER', 'XOAUTH2', 'EXTERNAL'];

  it.each(ways(...all))('%s by %s', async (_, name) => {
    await using posthorn = await start(name);
    const secret = name === 'OAUTHBEARER' || name === 'XOAUTH2' ? token : password;
    const certificate =
      name === 'EXTERNAL' ? [`--tls-cert-file=${posthorn.cert}`, `--tls-key-file=${posthorn.key}`] : [];
    const to = ['-C', '/dev/null', '--host=127.0.0.1', `--port=${posthorn.ports.submission}`, '--from=ann@example.com'];
    const tls = ['--tls=on', '--tls-starttls=on', `--tls-trust-file=${posthorn.certificate}`, ...certificate];
    const auth = [`--auth=${name.toLowerCase()}`, `--user=${user}`, `--passwordeval=echo "${secret}"`];
    await run('msmtp', [...to, ...tls, ...auth, 'bob@example.org'], text.replaceAll('\r\n', '\n'));
    await expectMail(posthorn);
  });
});

describe.skipIf(!hasPeers('msmtp'))('msmtp is kept out', () => {
  it('CMD-AUTH-14 CMD-AUTH-6 by NTLM, of which it knows the first version alone', async () => {
    await using posthorn = await start('NTLM');
    const to = ['-C', '/dev/null', '--host=127.0.0.1', `--port=${posthorn.ports.submission}`, '--from=ann@example.com'];
    const tls = ['--tls=on', '--tls-starttls=on', `--tls-trust-file=${posthorn.certificate}`];
    const auth = ['--auth=ntlm', `--user=${user}`, `--passwordeval=echo "${password}"`];
    await expect(run('msmtp', [...to, ...tls, ...auth, 'bob@example.org'], text)).rejects.toThrow('535 5.7.8');
  });
});

describe.skipIf(!hasPeers('curl'))('curl logs in to Posthorn', () => {
  it.each(ways('PLAIN', 'LOGIN', 'CRAM-MD5', 'OAUTHBEARER', 'XOAUTH2', 'NTLM', 'EXTERNAL'))(
    '%s by %s',
    async (_, name) => {
      await using posthorn = await start(name);
      const isToken = name === 'OAUTHBEARER' || name === 'XOAUTH2';
      const secret = isToken
        ? ['--oauth2-bearer', token, '--user', user]
        : ['--user', `${user}:${name === 'EXTERNAL' ? '' : password}`];
      const certificate = name === 'EXTERNAL' ? ['--cert', posthorn.cert, '--key', posthorn.key] : [];
      const envelope = ['--mail-from', 'ann@example.com', '--mail-rcpt', 'bob@example.org', '--upload-file', '-'];
      const url = `smtp://127.0.0.1:${posthorn.ports.submission}`;
      const tls = ['--ssl-reqd', '--cacert', posthorn.certificate, ...certificate];
      await run(
        'curl',
        ['--silent', '--show-error', url, ...tls, '--login-options', `AUTH=${name}`, ...secret, ...envelope],
        text,
      );
      await expectMail(posthorn);
    },
  );
});

describe('nodemailer logs in to Posthorn', () => {
  it.each(ways('PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'))('%s by %s', async (_, name) => {
    await using posthorn = await start(name);
    const auth = name === 'XOAUTH2' ? { type: 'OAuth2' as const, user, accessToken: token } : { user, pass: password };
    const transport = createTransport({
      host: '127.0.0.1',
      port: posthorn.ports.submission,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      authMethod: name,
      auth,
    });
    await transport.sendMail({ envelope: { from: 'ann@example.com', to: 'bob@example.org' }, raw: text });
    await expectMail(posthorn);
  });
});

describe.skipIf(!hasPeers('dovecot'))('Posthorn and Dovecot', () => {
  const all = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN', 'CRAM-MD5'];

  it.each(ways(...all))('%s its client logs in by %s', async (_, name) => {
    await using posthorn = await startPosthorn();
    await using dovecot = await startDovecot({
      relayTo: posthorn.ports.mx,
      mechanisms: 'plain login cram-md5 scram-sha-1 scram-sha-256',
    });
    const to = {
      host: '127.0.0.1',
      port: dovecot.submission,
      tls: 'none',
      name: 'client.example',
      allowCleartextAuth: true,
    } as const;
    const mechanisms = [name as ClientMechanismName];
    await using connection = await openConnection({ ...to, mechanisms, credentials: { user, password: 'secret' } });
    expect(connection.capabilities.mechanisms).toContain(name);
    const sent = await connection.send({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, text });
    expect(sent.recipients).toMatchObject([{ kind: 'accepted' }]);
    await posthorn.mailbox('bob', 1);
    const wrong = openConnection({ ...to, mechanisms, credentials: { user, password: 'guess' } });
    await expect(wrong).rejects.toMatchObject({ kind: 'authentication', reply: { code: 535 } });
  });

  it('CMD-AUTH-12 its client takes the strongest way that is offered', async () => {
    await using posthorn = await startPosthorn();
    await using dovecot = await startDovecot({
      relayTo: posthorn.ports.mx,
      mechanisms: 'plain scram-sha-1 scram-sha-256',
    });
    const to = {
      host: '127.0.0.1',
      port: dovecot.submission,
      tls: 'none',
      name: 'client.example',
      allowCleartextAuth: true,
    } as const;
    await using connection = await openConnection({ ...to, credentials: { user, password: 'secret' } });
    expect(connection.usable).toBe(true);
  });

  it('CMD-AUTH-1 CMD-AUTH-6 its server asks Dovecot whose password is right', async () => {
    await using dovecot = await startDovecot();
    await using posthorn = await startPosthorn({ change: { users: {}, logins: { dovecot: dovecot.auth } } });
    const to = {
      host: '127.0.0.1',
      port: posthorn.ports.submission,
      tls: 'starttls',
      verify: false,
      name: 'client.example',
      allowCleartextAuth: true,
    } as const;
    await using connection = await openConnection({
      ...to,
      credentials: { user: 'ann@example.com', password: 'secret' },
    });
    const sent = await connection.send({ envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, text });
    expect(sent.recipients).toMatchObject([{ kind: 'accepted' }]);
    await expectMail(posthorn);
    const wrong = openConnection({ ...to, credentials: { user: 'ann@example.com', password: 'guess' } });
    await expect(wrong).rejects.toMatchObject({ kind: 'authentication', reply: { code: 535 } });
  });
});
