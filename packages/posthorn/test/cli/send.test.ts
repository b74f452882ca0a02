import { writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { reply } from '@posthorn/smtp/reply/reply';
import type { ServerHandlers } from '@posthorn/smtp/server';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { pair, sending, startHost } from './sending.ts';

const { folder, send } = sending();

describe('send', () => {
  it('makes a message of a subject and a text', async () => {
    const { got, address } = await startHost();
    const { code, output } = await send(['--server', address, ...pair, '--subject', 'Grüße', '--text', 'It works']);
    expect({ code, output }).toEqual({ code: 0, output: 'accepted b@y.test: 250 2.0.0 Ok\n' });
    expect(got[0]?.text).toMatch(/^Date: .*\r\nFrom: a@x.test\r\nTo: b@y.test\r\nSubject: =\?utf-8\?/i);
    expect(got[0]?.text).toMatch(/\r\n\r\nIt works\r\n$/);
  });

  it('sends a file as it is but for its line ends, and tells its size and that it has eight bits', async () => {
    const { got, address } = await startHost();
    writeFileSync(join(folder(), 'a.eml'), 'Subject: x\n\nGrüße\n.\n..\r\nend');
    expect(await send(['--server', address, ...pair, '--data', 'a.eml'])).toMatchObject({ code: 0 });
    expect(got[0]).toMatchObject({ text: 'Subject: x\r\n\r\nGrüße\r\n.\r\n..\r\nend\r\n', mail: { body: '8BITMIME' } });
  });

  it('sends standard input, to several, with the null sender', async () => {
    const { got, address } = await startHost();
    const words = ['--server', address, '--from', '', '--to', 'b@y.test', 'c@y.test', '--data', '-'];
    expect(await send(words, { input: 'Subject: x\r\n\r\nx\r\n' })).toMatchObject({ code: 0 });
    expect(got[0]).toMatchObject({ text: 'Subject: x\r\n\r\nx\r\n', recipients: ['b@y.test', 'c@y.test'] });
  });

  it('ends with 1 when a recipient is refused, with 75 when it may be taken later, and says what the host said', async () => {
    const { address } = await startHost({
      recipient: (_, { mailbox }) =>
        ({ no: reply(550, '5.1.1', 'Nobody here'), later: reply(450, '4.2.0', 'Not now') })[mailbox.localPart],
    });
    const words = (...to: string[]) => ['--server', address, '--from', 'a@x.test', '--text', 'x', '--to', ...to];
    expect(await send(words('b@y.test', 'no@y.test', 'later@y.test'))).toEqual({
      code: 1,
      said: '',
      output:
        'accepted b@y.test: 250 2.0.0 Ok\nrefused no@y.test: 550 5.1.1 Nobody here\ndeferred later@y.test: 450 4.2.0 Not now\n',
    });
    expect(await send(words('b@y.test', 'later@y.test'))).toMatchObject({ code: 75 });
  });

  it('writes the result as JSON for programs', async () => {
    const { address } = await startHost({ recipient: () => reply(550, '5.1.1', 'No') });
    const { code, output } = await send(['--server', address, ...pair, '--text', 'x', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      ok: false,
      recipients: [{ address: 'b@y.test', kind: 'refused', phase: 'rcpt', status: '5.1.1', reply: { code: 550 } }],
    });
  });

  it('ends with 75 when nobody listens or the greeting is a passing one, with 1 when it is final', async () => {
    const probe = createTcpServer();
    const port = await new Promise<number>((resolve) => {
      probe.listen(0, '127.0.0.1', () => resolve((probe.address() as { port: number }).port));
    });
    await new Promise((resolve) => probe.close(resolve));
    const nobody = await send(['--server', `127.0.0.1:${port}`, ...pair, '--text', 'x']);
    expect(nobody).toMatchObject({ code: 75, output: '', said: expect.stringContaining('try again later') });
    const busy = await startHost({ connect: () => reply(421, '4.3.2', 'Later') });
    expect(await send(['--server', busy.address, ...pair, '--text', 'x'])).toMatchObject({ code: 75 });
    const never = await startHost({ connect: () => reply(554, '5.7.1', 'Never') });
    expect(await send(['--server', never.address, ...pair, '--text', 'x'])).toMatchObject({ code: 1 });
  });

  it.each([
    ['--from', 'no address'],
    ['--to', 'a@x.test>\r\nRSET'],
    ['--subject', 'x\r\nBcc: all@y.test'],
    ['--data', 'missing.eml'],
    ['--ca', 'missing.pem'],
  ])('ends with 1 before anything is sent when %s is %j', async (option, value) => {
    const { got, address } = await startHost();
    const given: Record<string, string> = { '--from': 'a@x.test', '--to': 'b@y.test', '--text': 'x', [option]: value };
    if (option === '--data') delete given['--text'];
    const { code, said } = await send(['--server', address, ...Object.entries(given).flat()]);
    expect(code).toBe(1);
    expect(said).toMatch(/^posthorn: \S/);
    expect(got).toEqual([]);
  });

  it('sends to addresses in letters of any script', async () => {
    const { got, address } = await startHost();
    const words = ['--server', address, '--from', 'pelé@exämple.test', '--to', '测试@测试.测试', '--text', 'x'];
    expect(await send(words)).toMatchObject({ code: 0 });
    expect(got[0]).toMatchObject({ mail: { smtputf8: true } });
  });

  it('speaks LMTP', async () => {
    const { got, address } = await startHost({}, {}, 'lmtp');
    const words = ['--lmtp', '--server', address, ...pair, '--text', 'x'];
    expect(await send(words)).toMatchObject({ code: 0, output: 'accepted b@y.test: 250 2.1.5 Ok\n' });
    expect(got).toHaveLength(1);
  });

  describe('with a login', () => {
    const handlers: Partial<ServerHandlers> = {
      authenticate: async (_, { user, password }) =>
        user === 'me' && password === 'geheim' ? { login: user } : reply(535, '5.7.8', 'No'),
    };

    /** The words for a login over TLS, and the authority that the host needs. */
    function loginAt(address: string): string[] {
      writeFileSync(join(folder(), 'ca.pem'), testCertificate.cert);
      return ['--server', address, ...pair, '--text', 'x', '--tls', 'starttls', '--ca', 'ca.pem', '--user', 'me'];
    }

    it('takes the password from a file or the environment, over TLS that it verified', async () => {
      const { got, address } = await startHost(handlers, { tls: testCertificate });
      writeFileSync(join(folder(), 'password'), 'geheim\n');
      const words = loginAt(address);
      expect(await send([...words, '--password-file', 'password'])).toMatchObject({ code: 0 });
      expect(await send([...words, '--password-env', 'SECRET'], { env: { SECRET: 'geheim' } })).toMatchObject({
        code: 0,
      });
      expect(got.map(({ login }) => login)).toEqual(['me', 'me']);
    });

    it('ends with 1 when it is refused, and never shows the password', async () => {
      const { got, address } = await startHost(handlers, { tls: testCertificate });
      const words = loginAt(address);
      const { code, said, output } = await send([...words, '--password-env', 'SECRET'], {
        env: { SECRET: 'wrong-word' },
      });
      expect(code).toBe(1);
      expect(said + output).not.toContain('wrong-word');
      expect(await send([...words, '--password-env', 'SECRET'])).toMatchObject({ code: 1 });
      expect(got).toEqual([]);
    });

    it('sends no password in the clear, nor to a host whose certificate is not trusted', async () => {
      let asked = 0;
      const counting: Partial<ServerHandlers> = {
        authenticate: async () => {
          asked += 1;
          return { login: 'me' };
        },
      };
      const words = [...pair, '--text', 'x', '--user', 'me', '--password-env', 'SECRET'];
      const settings = { env: { SECRET: 'geheim' } };
      const clear = await startHost(counting, { allowCleartextAuth: true });
      expect(await send(['--server', clear.address, ...words], settings)).toMatchObject({ code: 1 });
      const strange = await startHost(counting, { tls: testCertificate });
      expect(await send(['--server', strange.address, ...words, '--tls', 'starttls'], settings)).toMatchObject({
        code: 1,
      });
      expect(asked).toBe(0);
    });
  });

  it('shows the progress of a large file to a person, and to nobody else', async () => {
    const { got, address } = await startHost();
    const line = `${'x'.repeat(98)}\r\n`;
    writeFileSync(join(folder(), 'large.eml'), `Subject: large\r\n\r\n${line.repeat(100_000)}`);
    const words = ['--server', address, ...pair, '--data', 'large.eml'];
    const shown = await send(words, { interactive: true });
    expect(shown.code).toBe(0);
    expect(shown.said).toMatch(/^(\r\u001b\[Ksending: \d+\.\d of 9\.5 MB)+\r\u001b\[K$/);
    expect(await send(words)).toMatchObject({ code: 0, said: '' });
    expect(got.map(({ size }) => size)).toEqual([10_000_018, 10_000_018]);
  });
});
