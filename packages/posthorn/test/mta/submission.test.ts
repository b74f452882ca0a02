import { openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { mailIn, talk } from './fixture.ts';
import { startSubmission, submit } from './submission-agent.ts';

const toForeign = (port: number) =>
  talk(port, [
    { send: 'EHLO client.example\r\n', replies: 1 },
    { send: 'MAIL FROM:<alice@example.org>\r\n', replies: 1 },
    { send: 'RCPT TO:<u@far.example>\r\n', replies: 1 },
  ]);

describe('submission', () => {
  it('EX-15 takes mail for other domains from a login, and from nobody else', async () => {
    await using agent = await startSubmission();
    expect((await toForeign(agent.mx))[3]).toMatch(/^550 5\.7\.1 /);
    expect((await toForeign(agent.submission))[2]).toMatch(/^530 5\.7\.0 /);
    expect(
      await submit(agent.submission, {
        user: 'alice',
        from: 'alice@example.org',
        to: ['u@far.example', 'bob@example.org'],
      }),
    ).toMatchObject([expect.stringMatching(/^accepted/), expect.stringMatching(/^accepted/)]);
    await expect.poll(() => agent.hop.takenFor('u@far.example')).toHaveLength(1);
    const [mail] = await mailIn(agent.test, 'bob', 1);
    expect(mail).toMatch(/with ESMTPSA id /);
  });

  it('EX-15 takes mail for other domains on the mx from a listed network', async () => {
    await using agent = await startSubmission({ relayFrom: ['127.0.0.0/8'] });
    expect((await toForeign(agent.mx))[3]).toMatch(/^250 2\.1\.5 /);
  });

  it('CMD-TLS-5 takes mail on the mx in the clear, too, though TLS is on offer, and says which it was', async () => {
    await using agent = await startSubmission();
    for (const tls of ['none', 'starttls'] as const) {
      await using connection = await openConnection({
        host: '127.0.0.1',
        port: agent.mx,
        serverName: 'mx.example.test',
        tls,
        tlsMaterial: { ca: testCertificate.cert },
        name: 'client.example',
      });
      expect(connection.capabilities.offered.has('STARTTLS')).toBe(tls === 'none');
      const envelope = { from: 'x@far.example', to: ['bob@example.org'] };
      expect(await connection.send({ envelope, text: 'Subject: x\r\n\r\n' })).toMatchObject({ ok: true });
    }
    const mails = await mailIn(agent.test, 'bob', 2);
    expect(mails.map((mail) => /\bwith (\S+)/.exec(mail)?.[1]).sort()).toEqual(['ESMTP', 'ESMTPS']);
  });

  it("SUB-5 refuses a sender that is not the login's own", async () => {
    await using agent = await startSubmission();
    const to = ['bob@example.org'];
    expect(await submit(agent.submission, { user: 'alice', from: 'carl@example.org', to })).toEqual([
      'refused 550 5.7.1',
    ]);
    expect(await submit(agent.submission, { user: 'alice', from: 'Sales@Example.org', to })).toEqual([
      expect.stringMatching(/^accepted/),
    ]);
    expect(await submit(agent.submission, { user: 'alice', from: '', to })).toEqual([
      expect.stringMatching(/^accepted/),
    ]);
    expect(await submit(agent.submission, { user: 'free', from: 'any@example.org', to })).toEqual([
      expect.stringMatching(/^accepted/),
    ]);
    await mailIn(agent.test, 'bob', 3);
  });

  it('CMD-AUTH-6 answers a wrong password and an unknown user with the same words', async () => {
    await using agent = await startSubmission();
    const attempt = (user: string, password: string) =>
      openConnection({
        host: '127.0.0.1',
        port: agent.submission,
        serverName: 'mx.example.test',
        tls: 'starttls',
        tlsMaterial: { ca: testCertificate.cert },
        name: 'client.example',
        credentials: { user, password },
      }).then(
        () => 'logged in',
        (error: { kind?: string; reply?: { code: number; status?: string; lines: readonly string[] } }) => error.reply,
      );
    const wrong = await attempt('alice', 'guess');
    expect(wrong).toMatchObject({ code: 535, status: '5.7.8' });
    expect(await attempt('nobody', 'guess')).toEqual(wrong);
    expect(await attempt('__proto__', 'guess')).toEqual(wrong);
  });

  it('SUB-3 knows no login without TLS', async () => {
    await using agent = await startSubmission();
    for (const port of [agent.mx, agent.submission]) {
      const replies = await talk(port, [
        { send: 'EHLO client.example\r\n', replies: 1 },
        { send: `AUTH PLAIN ${Buffer.from('\0alice\0correct horse').toString('base64')}\r\n`, replies: 1 },
      ]);
      expect(replies[2]).toMatch(port === agent.mx ? /^503 5\.5\.1 / : /^530 5\.7\.0 /);
    }
  });
});
