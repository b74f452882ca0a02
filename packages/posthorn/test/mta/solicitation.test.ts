import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

/** An agent that wants no advertisements; for bob no appeals either, and for example.net no adult mail. */
function start(extensions: ConfigInput['extensions'] = { noSoliciting: ['net.example:ADV'] }, to = 'discard:') {
  return startTestAgent((folder) => ({
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to }],
    extensions,
    domains: {
      'example.org': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['ann', 'bob'],
        mailboxSettings: { bob: { noSoliciting: ['org.example:APPEAL'] } },
      },
      'example.net': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['carl'],
        noSoliciting: ['org.example:ADV:ADLT'],
      },
    },
  }));
}

const letter = (...fields: string[]) => `${['Subject: x', ...fields].join('\r\n')}\r\n\r\nHello\r\n`;
const everybody = ['ann@example.org', 'bob@example.org', 'Bob+x@Example.ORG', 'carl@example.net', 'u@far.example'];

async function rcptReplies(port: number, solicit: string): Promise<string[]> {
  const send = `MAIL FROM:<x@example.com>${solicit}\r\n${everybody.map((to) => `RCPT TO:<${to}>\r\n`).join('')}`;
  const replies = await talk(port, [
    { send: 'EHLO client.example\r\n', replies: 1 },
    { send, replies: 1 + everybody.length },
  ]);
  return replies.slice(2);
}

describe('solicitations', () => {
  it('EXT-NOSOL-2 refuses for all what EHLO says is refused, and names it', async () => {
    await using test = await start();
    const [mail, ...rcpt] = await rcptReplies(test.port, ' SOLICIT=org.example:X,NET.example:adv');
    expect(mail).toMatch(/^250 /);
    expect(rcpt).toHaveLength(everybody.length);
    for (const reply of rcpt) expect(reply).toMatch(/^550 5\.7\.1 .*SOLICIT=NET\.example:adv$/);
  });

  it('EXT-NOSOL-2 refuses for a mailbox what its owner does not want, and for a domain what nobody there wants', async () => {
    await using test = await start();
    const both = ' SOLICIT=org.example:APPEAL,org.example:ADV:ADLT';
    const replies = await rcptReplies(test.port, both);
    expect(replies.map((reply) => reply.slice(0, 9))).toEqual([
      '250 2.1.0',
      '250 2.1.5',
      '550 5.7.1',
      '550 5.7.1',
      '550 5.7.1',
      '250 2.1.5',
    ]);
    expect(replies[2]).toMatch(/SOLICIT=org\.example:APPEAL$/);
    expect(replies[4]).toMatch(/SOLICIT=org\.example:ADV:ADLT$/);
  });

  it('EXT-NOSOL-2 delivers no message whose header says that it is of a refused class', async () => {
    await using test = await start();
    const text = letter('Solicitation:  org.example:OTHER,net.example:ADV');
    const mails = [
      { to: ['<ann@example.org>'], text },
      { to: ['<bob@example.org>'], text: letter('solicitation: org.example:APPEAL') },
      { to: ['<ann@example.org>'], text: letter('Solicitation: org.example:APPEAL') },
      {
        to: ['<ann@example.org>'],
        text: letter('Solicitation: net.example:ADV !', 'X: Solicitation: net.example:ADV'),
      },
    ];
    const replies = await sendMail(test.port, ...mails);
    expect(replies.map((reply) => reply.slice(0, 9))).toEqual(['550 5.7.1', '550 5.7.1', '250 2.0.0', '250 2.0.0']);
    expect(replies[0]).toMatch(/SOLICIT=net\.example:ADV$/);
    await mailIn(test, 'ann', 2);
  });

  it('EXT-NOSOL-3 passes the classes on to hosts that ask for them, from the header where the client gave none', async () => {
    await using hop = await startNextHop({ offers: ['NO-SOLICITING', 'ENHANCEDSTATUSCODES'] });
    await using plain = await startNextHop();
    await using test = await start({ noSoliciting: [] }, hop.to);
    await using other = await start({ noSoliciting: [] }, plain.to);
    const field = 'Solicitation: org.example:ADV,org.example:X';
    const trace = 'Received: from a by b with ESMTP (SOLICIT=org.example:TRACE) id 1; Sat, 21 Nov 2026 10:00:00 +0000';
    const to = ['<u@far.example>'];
    const mails = [
      { from: '<x@example.com> SOLICIT=org.example:GIVEN', to, text: letter('Solicitation: org.example:GIVEN') },
      { from: '<x@example.com>', to, text: letter(trace, field) },
      { from: '<x@example.com>', to, text: letter(trace, 'Solicitation: no class at all') },
    ];
    await sendMail(test.port, ...mails);
    await sendMail(other.port, ...mails);
    await expect.poll(() => hop.taken.length + plain.taken.length).toBe(6);
    expect(hop.taken.map(({ mail }) => / SOLICIT=(\S+)/.exec(mail)?.[1]).sort()).toEqual([
      'org.example:ADV,org.example:X',
      'org.example:GIVEN',
      undefined,
    ]);
    expect(plain.taken.some(({ mail }) => mail.includes('SOLICIT'))).toBe(false);
  });
});
