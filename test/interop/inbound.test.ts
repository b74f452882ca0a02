import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { largeSample, samples, withoutTrace } from './corpus.ts';
import { hasPeers } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';
import { password, startPosthorn, user } from './posthorn.ts';
import { runProgram } from './run-program.ts';

function withLf(text: Buffer): string {
  return text.toString('latin1').replaceAll('\r\n', '\n');
}

describe.skipIf(!hasPeers('swaks'))('swaks sends to Posthorn', () => {
  const base = (port: number) => [
    '--server',
    `127.0.0.1:${port}`,
    '--from',
    'ann@example.com',
    '--to',
    'bob@example.org',
    '--ehlo',
    'swaks.example',
  ];

  it('CMD-EHLO-1 CMD-DATA-1 CMD-TLS-5 in clear, though a certificate is there', async () => {
    await using posthorn = await startPosthorn();
    await runProgram('swaks', base(posthorn.ports.mx));
    expect(await posthorn.mailbox('bob', 1)).toHaveLength(1);
  });

  it('EXT-PIPE-1 with --pipeline', async () => {
    await using posthorn = await startPosthorn();
    const out = await runProgram('swaks', [...base(posthorn.ports.mx), '--pipeline']);
    expect(out).toContain('250 2.0.0 Ok: queued as');
    await posthorn.mailbox('bob', 1);
  });

  it('CMD-TLS-1 CMD-TLS-3 TRC-2 with STARTTLS', async () => {
    await using posthorn = await startPosthorn();
    await runProgram('swaks', [...base(posthorn.ports.mx), '--tls']);
    const [mail] = await posthorn.mailbox('bob', 1);
    expect(mail?.toString('latin1')).toMatch(/with ESMTPS id/);
  });

  it.each(['PLAIN', 'LOGIN'])('CMD-AUTH-1 CMD-AUTH-10 TRC-2 with AUTH %s inside STARTTLS', async (mechanism) => {
    await using posthorn = await startPosthorn();
    const auth = ['--auth', mechanism, '--auth-user', user, '--auth-password', password];
    await runProgram('swaks', [...base(posthorn.ports.submission), '--tls', ...auth]);
    const [mail] = await posthorn.mailbox('bob', 1);
    expect(mail?.toString('latin1')).toMatch(/with ESMTPSA id/);
  });

  it('SUB-1 CMD-AUTH-1 on the port with TLS from the first byte', async () => {
    await using posthorn = await startPosthorn();
    const auth = ['--auth', 'PLAIN', '--auth-user', user, '--auth-password', password];
    await runProgram('swaks', [...base(posthorn.ports.submissions), '--tlsc', ...auth]);
    await posthorn.mailbox('bob', 1);
  });

  it('CMD-AUTH-6 SUB-2 is refused with a wrong password, and without any', async () => {
    await using posthorn = await startPosthorn();
    const wrong = ['--tls', '--auth', 'PLAIN', '--auth-user', user, '--auth-password', 'wrong'];
    await expect(runProgram('swaks', [...base(posthorn.ports.submission), ...wrong])).rejects.toThrow('535 5.7.8');
    await expect(runProgram('swaks', [...base(posthorn.ports.submission), '--tls'])).rejects.toThrow('530 5.7.0');
  });
});

describe.skipIf(!hasPeers('msmtp'))('msmtp sends to Posthorn', () => {
  it('CMD-AUTH-1 CMD-TLS-9 with a verified certificate and AUTH, each sample byte for byte', async () => {
    await using posthorn = await startPosthorn();
    const args = [
      '-C',
      '/dev/null',
      '--host=127.0.0.1',
      `--port=${posthorn.ports.submission}`,
      '--from=ann@example.com',
    ];
    const tls = ['--tls=on', '--tls-starttls=on', `--tls-trust-file=${posthorn.certificate}`];
    const auth = ['--auth=plain', `--user=${user}`, `--passwordeval=echo "${password}"`];
    for (const { text } of samples)
      await runProgram('msmtp', [...args, ...tls, ...auth, 'bob@example.org'], Buffer.from(withLf(text), 'latin1'));
    const mails = await posthorn.mailbox('bob', samples.length);
    const got = mails.map((mail) => withoutTrace(mail).toString('latin1')).sort();
    expect(got).toEqual(samples.map(({ text }) => withLf(text)).sort());
  });
});

describe('nodemailer sends to Posthorn', () => {
  it('CMD-AUTH-1 CMD-TLS-1 EX-12 with STARTTLS and AUTH, each sample byte for byte', async () => {
    await using posthorn = await startPosthorn();
    const transport = createTransport({
      host: '127.0.0.1',
      port: posthorn.ports.submission,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
      auth: { user, pass: password },
    });
    for (const { text } of samples) {
      await transport.sendMail({ envelope: { from: 'ann@example.com', to: 'bob@example.org' }, raw: text });
    }
    const mails = await posthorn.mailbox('bob', samples.length);
    expect(mails.map((mail) => withoutTrace(mail).toString('latin1')).sort()).toEqual(
      samples.map(({ text }) => withLf(text)).sort(),
    );
  });
});

describe.skipIf(!hasPeers('postfix', 'sendmail'))('Postfix sends to Posthorn', () => {
  it('EXT-8BIT-1 CMD-DATA-3 CMD-DATA-5 SEC-RES-1 each sample and 50 MB, byte for byte', {
    timeout: 120_000,
  }, async () => {
    await using posthorn = await startPosthorn();
    await using postfix = await startPostfix({ relayTo: posthorn.ports.mx });
    const all = [...samples, largeSample()];
    for (const { text } of all) {
      const input = Buffer.from(withLf(text), 'latin1');
      postfix.send({ from: 'ann@example.com', to: ['bob@example.org'], text: input, args: ['-B8BITMIME'] });
    }
    const mails = await posthorn.mailbox('bob', all.length);
    const got = mails.map((mail) => withoutTrace(mail).toString('latin1')).sort();
    const expected = all.map(({ text }) => withLf(text)).sort();
    expect(got.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    expect(got.every((text, index) => text === expected[index])).toBe(true);
  });
});
