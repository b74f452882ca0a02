import { describe, expect, it } from 'vitest';
import type { MailHostOptions } from '../../../smtp/test/client/scripted-host.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';

const wishes = ['PIPELINING', 'ENHANCEDSTATUSCODES', 'DSN'];
const none = ['PIPELINING', 'ENHANCEDSTATUSCODES'];
const text = 'Subject: secret plan\r\n\r\nthe body\r\n';

/** An agent whose mail for other domains goes to a host. */
async function startPair(options: MailHostOptions) {
  const hop = await startNextHop(options);
  const test = await startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to: hop.to }],
    queue: { retry: ['1s'] },
  }));
  return pairOf(test, hop);
}

type Pair = Awaited<ReturnType<typeof startPair>>;

/** Waits until the queue is empty, so that what has not come by then never comes. */
async function expectNoReport({ test }: Pair): Promise<void> {
  await expect.poll(() => test.agent.store.count()).toBe(0);
  await mailIn(test, 'ann', 0);
}

describe('reports of the agent', () => {
  it('CLI-PARM-2 DSN-21 passes the wishes on to a host with DSN as they came, and reports nothing itself', async () => {
    await using pair = await startPair({ offers: wishes });
    await sendMail(pair.test.port, {
      from: '<ann@example.org> RET=HDRS ENVID=QQ+2B1',
      to: ['<u@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;U+2Bx@far.example', '<v@far.example>'],
    });
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    const [taken] = pair.hop.taken;
    expect(taken?.mail).toContain('<ann@example.org> RET=HDRS ENVID=QQ+2B1');
    expect(taken?.rcpt).toEqual([
      'RCPT TO:<u@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;U+2Bx@far.example',
      'RCPT TO:<v@far.example>',
    ]);
    await expectNoReport(pair);
  });

  it('CLI-PARM-2 DSN-12 DSN-21 tells a plain host of no wishes, and reports `relayed` to who asked for success alone', async () => {
    await using pair = await startPair({ offers: none });
    await sendMail(pair.test.port, {
      from: '<ann@example.org> RET=FULL ENVID=QQ1',
      to: [
        '<u@far.example> NOTIFY=SUCCESS ORCPT=rfc822;u@far.example',
        '<never@far.example> NOTIFY=NEVER',
        '<failure@far.example> NOTIFY=FAILURE',
        '<plain@far.example>',
      ],
      text,
    });
    const [report] = await mailIn(pair.test, 'ann', 1);
    const taken = pair.hop.taken.flatMap(({ mail, rcpt }) => [mail, ...rcpt]).join('\n');
    expect(taken).not.toMatch(/RET=|ENVID=|NOTIFY=|ORCPT=/);
    expect(report).toContain('\nAction: relayed\n');
    expect(report).toContain('\nOriginal-Envelope-Id: QQ1\n');
    expect(report?.match(/\nFinal-Recipient: .*/g)).toEqual(['\nFinal-Recipient: rfc822; u@far.example']);
    expect(report).toMatch(/\nStatus: 2\.\d\.\d\n/);
    expect(report).not.toContain('the body');
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    await mailIn(pair.test, 'ann', 1);
  });

  it('DSN-10 reports success when the mailbox has the mail, to who asked for it alone', async () => {
    await using test = await startTestAgent();
    await sendMail(
      test.port,
      { from: '<ann@example.org>', to: ['<bob@example.org> NOTIFY=SUCCESS', '<carl@example.org> NOTIFY=FAILURE'] },
      { from: '<ann@example.org>', to: ['<bob@example.org>'] },
    );
    await mailIn(test, 'bob', 2);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nAction: delivered\n');
    expect(report?.match(/\nFinal-Recipient: .*/g)).toEqual(['\nFinal-Recipient: rfc822; bob@example.org']);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'ann', 1);
  });

  it('DSN-9 DSN-21 DSN-15 reports all failures at once, but those of NOTIFY=NEVER and without FAILURE', async () => {
    await using pair = await startPair({
      offers: none,
      reply: (verb) => (verb === 'RCPT' ? '550 5.1.1 no such user' : undefined),
    });
    await sendMail(
      pair.test.port,
      { from: '<ann@example.org>', to: ['<a@far.example> NOTIFY=NEVER', '<b@far.example> NOTIFY=SUCCESS,DELAY'] },
      {
        from: '<ann@example.org>',
        to: ['<c@far.example> NOTIFY=FAILURE', '<d@far.example>', '<e@far.example> NOTIFY=NEVER'],
      },
    );
    const [report] = await mailIn(pair.test, 'ann', 1);
    expect(report?.match(/\nFinal-Recipient: .*/g)).toEqual([
      '\nFinal-Recipient: rfc822; c@far.example',
      '\nFinal-Recipient: rfc822; d@far.example',
    ]);
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    await mailIn(pair.test, 'ann', 1);
  });

  it.each([
    ['FULL', true],
    ['HDRS', false],
  ])(
    'DSN-4 DSN-6 DSN-23 with RET=%s gives back what was asked for, and what the host said line by line',
    async (ret, isFull) => {
      await using pair = await startPair({
        offers: none,
        reply: (verb) =>
          verb === 'RCPT' ? '550-5.1.1 No user\n550-5.1.1 of that name\n550 5.1.1 lives here' : undefined,
      });
      await sendMail(pair.test.port, {
        from: `<ann@example.org> RET=${ret}`,
        to: ['<U.Ser@far.example> ORCPT=rfc822;Old+2Bname@far.example'],
        text,
      });
      const [report] = await mailIn(pair.test, 'ann', 1);
      const unfolded = report?.replace(/\n[ \t]+/g, ' ') ?? '';
      for (const line of [
        'Original-Recipient: rfc822;Old+name@far.example',
        'Final-Recipient: rfc822; U.Ser@far.example',
        'Action: failed',
        'Status: 5.1.1',
        'Diagnostic-Code: smtp; 550-5.1.1 No user 550-5.1.1 of that name 550 5.1.1 lives here',
      ]) {
        expect(unfolded).toContain(`\n${line}\n`);
      }
      expect(unfolded).toMatch(/\nRemote-MTA: dns; \[127\.0\.0\.1\]\n/);
      expect(unfolded).toMatch(/\nLast-Attempt-Date: \w/);
      expect(unfolded).not.toContain('Will-Retry-Until');
      expect(unfolded).toContain('\nSubject: secret plan\n');
      expect(unfolded.includes('\nthe body\n')).toBe(isFull);
    },
  );

  it('DSN-2 CLI-RTY-4 a report that cannot be delivered causes no other', async () => {
    await using pair = await startPair({
      offers: none,
      reply: (verb) => (verb === 'RCPT' ? '550 5.1.1 no such user' : undefined),
    });
    await sendMail(pair.test.port, { from: '<stranger@elsewhere.example>', to: ['<u@far.example>'] });
    const mails = () => pair.hop.sessions.flatMap(({ lines }) => lines.filter((line) => /^(MAIL|RCPT)/.test(line)));
    await expect.poll(mails).toHaveLength(4);
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    expect(mails().map((line) => line.replace(/ [A-Z]+=.*/, ''))).toEqual([
      'MAIL FROM:<stranger@elsewhere.example>',
      'RCPT TO:<u@far.example>',
      'MAIL FROM:<>',
      'RCPT TO:<stranger@elsewhere.example>',
    ]);
  });
});
