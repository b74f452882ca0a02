import { openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { mailIn, talk } from './fixture.ts';
import { startSubmission } from './submission-agent.ts';
import { withinTls } from './tls-in.ts';

const now = Date.UTC(2026, 10, 25);

const extensions = {
  deliverBy: { minimum: '1m' },
  futureRelease: { longest: '1d' },
  priority: { policy: 'MIXER' },
  noSoliciting: ['net.example:ADV'],
  ownership: true,
  requireTls: true,
};

/** A session with a listener of the agent, within TLS. */
function open(port: number, user?: string) {
  return openConnection({
    ...withinTls(port),
    ...(user === undefined ? {} : { credentials: { user, password: 'correct horse' } }),
  });
}

describe('the extensions of a running agent', () => {
  it('SUB-13 EXT-FUT-1 EXT-DBY-1 EXT-PRI-1 EXT-NOSOL-1 EXT-RRVS-1 EXT-RTLS-1 are offered where they are meant for', async () => {
    await using agent = await startSubmission({ extensions }, { now: () => now });
    await using mx = await open(agent.mx);
    await using submission = await open(agent.submission, 'alice');
    for (const { capabilities } of [mx, submission]) {
      expect(capabilities).toMatchObject({
        deliverByMinimum: 60,
        priorityPolicy: 'MIXER',
        refusedSolicitation: ['net.example:ADV'],
      });
      for (const keyword of ['RRVS', 'REQUIRETLS', 'DELIVERBY', 'MT-PRIORITY', 'NO-SOLICITING', 'LIMITS', 'DSN']) {
        expect(capabilities.offered.has(keyword), keyword).toBe(true);
      }
      for (const keyword of ['ETRN', 'ATRN', 'TURN']) expect(capabilities.offered.has(keyword), keyword).toBe(false);
    }
    expect(mx.capabilities.longestHold).toBeUndefined();
    expect(submission.capabilities.longestHold).toEqual({ seconds: 86_400, until: now + 86_400_000 });
    const should = [
      'AUTH',
      'PIPELINING',
      'ENHANCEDSTATUSCODES',
      '8BITMIME',
      'SIZE',
      'CHUNKING',
      'BINARYMIME',
      'SMTPUTF8',
    ];
    for (const keyword of should) expect(submission.capabilities.offered.has(keyword), keyword).toBe(true);
  });

  it('EXT-NOSOL-3 EXT-PRI-2 are named in the trace of the messages that they were asked for', async () => {
    await using agent = await startSubmission({ extensions });
    await using connection = await open(agent.mx);
    const mail = { priority: -3, solicit: ['org.example:NEWS', 'com.example:X'] };
    const envelope = { from: 'a@far.example', to: ['bob@example.org'], mail };
    expect(await connection.send({ envelope, text: 'Subject: x\r\n\r\nHello\r\n' })).toMatchObject({ ok: true });
    const [text = ''] = await mailIn(agent.test, 'bob', 1);
    const received = /^Received: .*(?:\r?\n[ \t].*)*/m.exec(text)?.[0].replace(/\s+/g, ' ');
    expect(received).toContain('with ESMTPS (SOLICIT=org.example:NEWS,com.example:X) id ');
    expect(received).toContain(' PRIORITY -3;');
  });

  it('REP-555 EXT-RTLS-1 EXT-DBY-1 EXT-FUT-1 EXT-PRI-1 EXT-LIM-1 judge their parameters, and know none that is not on offer', async () => {
    await using agent = await startSubmission({ extensions, limits: { recipients: 100 } }, { now: () => now });
    const asked = [
      'REQUIRETLS',
      'HOLDFOR=60',
      'TRANSIDD=<a@b>',
      'BY=59;R',
      'BY=0;R',
      'MT-PRIORITY=+1',
      'SOLICIT=a,,b',
      'BY=60;R MT-PRIORITY=-1 SOLICIT=org.example:NEWS',
    ];
    const replies = await talk(agent.mx, [
      { send: 'EHLO client.example\r\n', replies: 1 },
      ...asked.map((parameters) => ({ send: `MAIL FROM:<a@far.example> ${parameters}\r\n`, replies: 1 })),
      { send: 'RCPT TO:<bob@example.org> RRVS=2020-01-01\r\n', replies: 1 },
      { send: 'RCPT TO:<bob@example.org> RRVS=2026-01-01T00:00:00Z;C\r\n', replies: 1 },
    ]);
    expect(replies.slice(2).map((reply) => reply.slice(0, 9))).toEqual([
      '555 5.5.4',
      '555 5.5.4',
      '555 5.5.4',
      '555 5.5.4',
      '501 5.5.4',
      '501 5.5.2',
      '501 5.5.4',
      '250 2.1.0',
      '501 5.5.4',
      '250 2.1.5',
    ]);
  });
});
