import { reply } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';

const marked = (mark: string) => `Subject: x\r\nX-Filter: ${mark}\r\n\r\nHello\r\n`;

/** An agent that knows two marks, and a host that refuses a recipient. */
async function startPair() {
  const hop = await startNextHop({
    reply: (verb, line) => (verb === 'RCPT' && line.includes('u@') ? '550 5.1.1 no such user' : undefined),
  });
  const test = await startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to: hop.to }],
    hostile: [
      { field: 'x-filter', value: 'virus' },
      { field: 'X-Filter', value: 'Spam', action: 'discard' },
    ],
  }));
  return pairOf(test, hop);
}

describe('hostile mail', () => {
  it('DSN-18 is refused in the session, or taken and thrown away with a line in the log, and causes no report', async () => {
    await using pair = await startPair();
    const { test, hop } = pair;
    const send = (mark: string) =>
      sendMail(test.port, {
        from: '<innocent@far.example>',
        to: ['<u@far.example>', '<ann@example.org>'],
        text: marked(mark),
      });
    expect(await send('Virus (Eicar)')).toEqual(['554 5.7.1 The message was found to be hostile']);
    expect(await send('spam, score 20')).toEqual(['250 2.0.0 Ok: queued']);
    expect(test.agent.store.count()).toBe(0);
    await mailIn(test, 'ann', 0);
    expect(hop.sessions).toEqual([]);
    expect(test.log.lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        text: 'hostile, refused',
        fields: { from: 'innocent@far.example', client: '127.0.0.1', said: 'The message was found to be hostile' },
      },
      {
        level: 'warn',
        text: 'hostile, discarded',
        fields: { from: 'innocent@far.example', client: '127.0.0.1', said: 'X-Filter: Spam' },
      },
    ]);
    expect((await send('none'))[0]).toMatch(/^250 /);
    await mailIn(test, 'ann', 1);
    // What nobody found hostile is reported as ever.
    await expect.poll(() => hop.takenFor('innocent@far.example').length).toBe(1);
  });

  it('DSN-18 may be found by a judge of the one who runs the agent, who sees session, envelope and header', async () => {
    await using test = await startTestAgent(undefined, {
      async judge({ session, transaction, header, size }) {
        if (!header.includes('Subject: bad')) return undefined;
        const to = transaction.recipients.map(({ mailbox }) => mailbox.localPart);
        const text = `${session.clientAddress} ${to} ${size > header.length}`;
        return { kind: 'refuse', reply: reply(550, '5.7.1', text) };
      },
    });
    const send = (subject: string) =>
      sendMail(test.port, { to: ['<ann@example.org>'], text: `Subject: ${subject}\r\n\r\nHello\r\n` });
    expect(await send('bad')).toEqual(['550 5.7.1 127.0.0.1 ann true']);
    expect((await send('good'))[0]).toMatch(/^250 /);
    await mailIn(test, 'ann', 1);
  });
});
