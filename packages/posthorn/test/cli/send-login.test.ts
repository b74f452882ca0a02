import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { otherCertificate, testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { fakeTerminal } from './fake-terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'send-login-'));
  const files = {
    ca: testCertificate.cert,
    cert: otherCertificate.cert,
    key: otherCertificate.key,
    token: 'good-token\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A host that takes one token, and any certificate; keeps who logged in. */
async function startHost() {
  const logins: (string | undefined)[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    onError: () => {},
    handlers: {
      async authenticate(_session, credentials) {
        const isGood = 'token' in credentials ? credentials.token === 'good-token' : 'certificate' in credentials;
        return isGood ? { login: credentials.user || credentials.authorizeAs || 'nobody' } : reply(535, '5.7.8', 'No');
      },
      async message(session, _transaction, text) {
        for await (const _ of text);
        logins.push(session.login);
        return reply(250, '2.0.0', 'Ok');
      },
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const mechanisms = ['OAUTHBEARER', 'EXTERNAL'] as const;
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0, mechanisms, askForCertificate: true });
  return { logins, port: 'port' in address ? address.port : 0 };
}

async function send(port: number, words: readonly string[], env: Record<string, string> = {}) {
  const terminal = fakeTerminal({ folder, env });
  const to = ['--server', `127.0.0.1:${port}`, '--from', 'a@x.test', '--to', 'b@y.test', '--text', 'x'];
  const code = await runCommand(['send', ...to, '--tls', 'starttls', '--ca', 'ca', ...words], terminal);
  return { code, told: terminal.output() + terminal.said() };
}

describe('send', () => {
  it('CMD-AUTH-13 CMD-AUTH-15 logs in by a token or a certificate, and shows neither', async () => {
    const { logins, port } = await startHost();
    expect(await send(port, ['--user', 'ann', '--token-file', 'token'])).toMatchObject({ code: 0 });
    expect(await send(port, ['--user', 'ann', '--token-env', 'TOKEN'], { TOKEN: 'good-token' })).toMatchObject({
      code: 0,
    });
    expect(await send(port, ['--cert', 'cert', '--key', 'key'])).toMatchObject({ code: 0 });
    expect(await send(port, ['--cert', 'cert', '--key', 'key', '--user', 'bob'])).toMatchObject({ code: 0 });
    expect(logins).toEqual(['ann', 'ann', 'nobody', 'bob']);
    const refused = await send(port, ['--user', 'ann', '--token-env', 'TOKEN'], { TOKEN: 'bad-token' });
    expect(refused.code).toBe(1);
    expect(refused.told).not.toContain('bad-token');
  });

  it.each([
    [['--cert', 'cert']],
    [['--user', 'ann']],
    [['--user', 'ann', '--token-file', 'token', '--cert', 'cert', '--key', 'key']],
    [['--password-env', 'TOKEN']],
    [['--token-file', 'none']],
    [['--token-env', 'NONE']],
  ])('refuses %j before it connects', async (words) => {
    const { code, told } = await send(1, words, { TOKEN: 'x' });
    expect(code).toBeGreaterThan(0);
    expect(told).toMatch(/--|password/);
    expect(told).not.toContain('127.0.0.1');
  });
});
