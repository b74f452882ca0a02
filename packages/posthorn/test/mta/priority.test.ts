import { describe, expect, it } from 'vitest';
import { mailHost, startHost } from '../../../smtp/test/client/scripted-host.ts';
import { hashPassword } from '../../src/config/password.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { sendMail, startTestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { openSession, startSubmission } from './submission-agent.ts';

const offers = ['ENHANCEDSTATUSCODES', '8BITMIME', 'MT-PRIORITY MIXER'];

function startRelay(to: string, extensions: ConfigInput['extensions'], change: Partial<ConfigInput> = {}) {
  return startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to }],
    queue: { retry: ['1s'], concurrencyPerDestination: 1 },
    extensions,
    ...change,
  }));
}

/** The replies to MAIL with these parameters, each in a transaction of its own. */
async function mailReplies(port: number, ...parameters: string[]): Promise<string[]> {
  const groups = parameters.map((each) => ({ send: `MAIL FROM:<ann@example.org> ${each}\r\nRSET\r\n`, replies: 2 }));
  const replies = await talk(port, [{ send: 'EHLO client.example\r\n', replies: 1 }, ...groups]);
  return replies.slice(2).filter((_, index) => index % 2 === 0);
}

const trusted = { priority: { trusted: ['127.0.0.1'] } };

describe('priorities', () => {
  it('EXT-PRI-1 ENH-3/2.3.6 lowers what a stranger raises, says so, and passes that on', async () => {
    await using hop = await startNextHop({ offers });
    await using test = await startRelay(hop.to, { priority: {} });
    const replies = await mailReplies(test.port, 'MT-PRIORITY=5', 'MT-PRIORITY=-3', 'MT-PRIORITY=0');
    expect(replies.map((reply) => reply.slice(0, 12))).toEqual(['250 2.3.6 0 ', '250 2.1.0 Se', '250 2.1.0 Se']);
    await sendMail(test.port, { from: '<ann@example.org> MT-PRIORITY=5', to: ['<top@far.example>'] });
    await sendMail(test.port, { from: '<ann@example.org> MT-PRIORITY=-3', to: ['<low@far.example>'] });
    await expect.poll(() => hop.taken.length).toBe(2);
    expect(hop.takenFor('top')[0]?.mail).toContain(' MT-PRIORITY=0');
    expect(hop.takenFor('low')[0]?.mail).toContain(' MT-PRIORITY=-3');
    expect(hop.takenFor('low')[0]?.text).toMatch(/^Received:(?:[^;]|\r\n\s)* PRIORITY -3;/);
  });

  it('EXT-PRI-1 EXT-PRI-3 keeps what a trusted network asks for, and drops it where nobody knows it', async () => {
    await using knows = await startNextHop({ offers });
    await using ignores = await startNextHop();
    const routes = [
      { domain: 'knows.example', to: knows.to },
      { domain: '*', to: ignores.to },
    ];
    await using test = await startRelay('', trusted, { routes });
    const to = ['<a@knows.example>', '<b@ignores.example>'];
    await sendMail(test.port, { from: '<ann@example.org> MT-PRIORITY=7', to });
    await expect.poll(() => knows.taken.length + ignores.taken.length).toBe(2);
    expect(knows.taken[0]?.mail).toMatch(/ MT-PRIORITY=7(?: |$)/);
    expect(ignores.taken[0]?.mail).not.toContain('MT-PRIORITY');
    expect(ignores.taken[0]?.text).toMatch(/ PRIORITY 7;/);
  });

  it('EXT-PRI-1 lets a login raise as far as it may', async () => {
    const password = await hashPassword('correct horse');
    const users = { alice: { password, priority: 4 }, bob: { password } };
    await using agent = await startSubmission({ users, extensions: { priority: { policy: 'MIXER' } } });
    const reply = async (user: string) => {
      const session = await openSession(agent.submission, user);
      expect(session.capabilities.priorityPolicy).toBe('MIXER');
      const { code, status, lines } = await session.command('MAIL FROM:<alice@example.org> MT-PRIORITY=6');
      return [code, status, lines[0]?.split(' ')[0]];
    };
    expect(await reply('alice')).toEqual([250, '2.3.6', '4']);
    expect(await reply('bob')).toEqual([250, '2.3.6', '0']);
  });

  it('EXT-PRI-1 gives a report the priority of its message', async () => {
    await using hop = await startNextHop({
      offers,
      reply: (verb, line) => (verb === 'RCPT' && line.includes('never') ? '550 5.1.1 nobody' : undefined),
    });
    await using test = await startRelay(hop.to, trusted);
    await sendMail(test.port, { from: '<ann@far.example> MT-PRIORITY=4', to: ['<never@far.example>'] });
    await expect.poll(() => hop.takenFor('ann@far.example').length).toBe(1);
    expect(hop.takenFor('ann@far.example')[0]?.mail).toMatch(/^MAIL FROM:<>.* MT-PRIORITY=4(?: |$)/);
  });

  it('EXT-PRI-2 ENH-7/4.7.15 ENH-7/5.7.16 REP-450 REP-552 takes no message below the floor, and none too large for its level', async () => {
    await using hop = await startNextHop({ offers });
    const priority = { ...trusted.priority, lowest: -2, largest: { '4': '1KB' } };
    await using test = await startRelay(hop.to, { priority });
    const replies = await mailReplies(
      test.port,
      'MT-PRIORITY=-3',
      'MT-PRIORITY=-2',
      'MT-PRIORITY=5 SIZE=2000',
      'SIZE=2000',
    );
    expect(replies.map((reply) => reply.slice(0, 10).trim())).toEqual([
      '450 4.7.15',
      '250 2.1.0',
      '552 5.7.16',
      '250 2.1.0',
    ]);
    const text = `Subject: x\r\n\r\n${'Hello\r\n'.repeat(300)}`;
    const [late, usual] = await sendMail(
      test.port,
      { from: '<ann@example.org> MT-PRIORITY=4', to: ['<top@far.example>'], text },
      { from: '<ann@example.org> MT-PRIORITY=3', to: ['<top@far.example>'], text },
    );
    expect([late?.slice(0, 10), usual?.slice(0, 9)]).toEqual(['552 5.7.16', '250 2.0.0']);
  });

  it('EXT-PRI-2 begins the urgent first of what waits for one host', async () => {
    const { script, taken } = mailHost({ offers });
    let open = () => {};
    const isOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    await using hop = await startHost((session, index) => isOpen.then(() => script(session, index)));
    await using test = await startRelay(`smtp://${hop.host}:${hop.port}?tls=none`, trusted);
    const mails = [
      ['first', ''],
      ['second', ''],
      ['low', ' MT-PRIORITY=-4'],
      ['usual', ''],
      ['high', ' MT-PRIORITY=6'],
    ].map(([name, parameter]) => ({ from: `<ann@example.org>${parameter}`, to: [`<${name}@far.example>`] }));
    await sendMail(test.port, ...mails);
    open();
    await expect.poll(() => taken.length).toBe(5);
    // The first two are under way before the others come.
    expect(taken.map(({ rcpt }) => /<(\w+)@/.exec(rcpt[0] ?? '')?.[1])).toEqual([
      'first',
      'second',
      'high',
      'usual',
      'low',
    ]);
    const logged = test.log.lines.filter(({ text }) => text === 'queued').map(({ fields }) => fields);
    expect(logged).toMatchObject([{}, {}, { priority: -4 }, {}, { priority: 6 }]);
  });

  it('EXT-PRI-4 keeps the value through aliases and lists, takes it by LMTP, and logs it', async () => {
    await using hop = await startNextHop({ offers });
    await using test = await startTestAgent((folder) => ({
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'lmtp', host: '127.0.0.1', port: 0 },
      ],
      extensions: trusted,
      routes: [{ domain: '*', to: hop.to }],
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: ['ann'],
          aliases: { away: ['u@far.example'] },
          lists: { team: { members: ['m@far.example'], owner: ['ann'] } },
        },
      },
    }));
    await sendMail(test.port, {
      from: '<m@far.example> MT-PRIORITY=3',
      to: ['<away@example.org>', '<team@example.org>'],
    });
    await expect.poll(() => hop.taken.length).toBe(2);
    expect(hop.takenFor('u@far.example')[0]?.mail).toMatch(/ MT-PRIORITY=3(?: |$)/);
    expect(hop.takenFor('m@far.example')[0]?.mail).toMatch(/ MT-PRIORITY=3(?: |$)/);
    const listener = test.agent.listeners[1];
    const replies = await talk(listener !== undefined && 'port' in listener ? listener.port : 0, [
      { send: 'LHLO client.example\r\n', replies: 1 },
      { send: 'MAIL FROM:<x@example.com> MT-PRIORITY=2\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n', replies: 3 },
      { send: 'Subject: x\r\n\r\nHello\r\n.\r\n', replies: 1 },
    ]);
    expect(replies.at(-1)).toMatch(/^250 /);
    const logged = test.log.lines.filter(({ text }) => text === 'queued').map(({ fields }) => fields);
    expect(logged).toMatchObject([{ priority: 3 }, { priority: 2 }]);
  });
});
