import { writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utmpLayoutOf } from '../../src/agents/parse-utmp.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../agents/pseudo-terminal.ts';
import { utmpRecord } from '../agents/utmp-record.ts';
import { mailIn, startTestAgent, type TestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

const layout = utmpLayoutOf(process.arch, endianness() === 'LE');
const hello = { send: 'EHLO client.example\r\n', replies: 1 };
const text = 'Subject: Lunch\r\n\r\nAt noon?\r\n.\r\n';

function startAgent(change: object = {}): Promise<TestAgent> {
  return startTestAgent((folder) => ({
    domains: {
      'example.org': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['bob', 'ann', 'postmaster'],
        aliases: { team: ['bob', 'ann'] },
      },
    },
    terminals: { utmp: join(folder, 'utmp') },
    queue: { retry: ['1s'] },
    ...change,
  }));
}

/** Says that somebody is logged in. */
function logIn({ folder }: TestAgent, user: string, { path }: Pick<PseudoTerminal, 'path'>): void {
  writeFileSync(join(folder, 'utmp'), utmpRecord({ user, line: path.slice('/dev/'.length) }, layout));
}

/** Sends one message; gives the replies to the verb, the recipients and the text. */
async function give(test: TestAgent, verb: string, ...to: string[]): Promise<string[]> {
  const rcpt = to.map((each) => `RCPT TO:<${each}>\r\n`).join('');
  const replies = await talk(test.port, [
    hello,
    { send: `${verb} FROM:<al@far.example>\r\n${rcpt}DATA\r\n`, replies: to.length + 2 },
    { send: text, replies: 1 },
  ]);
  return [...replies.slice(2, 3 + to.length), replies.at(-1) ?? ''].map((reply) => reply.slice(0, 9).trim());
}

const toldOf = (test: TestAgent, kind: string) =>
  test.log.lines.filter((line) => line.text === kind).map(({ fields }) => fields as { to: string; said: string });

describe('SEND', () => {
  it('CMD-SEND-1 CMD-SEND-2 shows a message on the terminal of who is logged in, and puts it nowhere else', async () => {
    await using screen = await openPseudoTerminal();
    await using test = await startAgent();
    logIn(test, 'bob', screen);
    expect(await give(test, 'SEND', 'bob@example.org')).toEqual(['250 2.1.0', '250 2.1.5', '250 2.0.0']);
    await expect.poll(() => screen.shown).toContain('At noon?');
    expect(screen.shown).toContain('Message from <al@far.example> to <bob@example.org>');
    await expect.poll(() => toldOf(test, 'delivered')).toMatchObject([{ said: 'shown on a terminal' }]);
    await mailIn(test, 'bob', 0);
  }, 20_000);

  it('CMD-SEND-2 REP-450 ENH-3/5.3.3 takes nobody who would not see it, and nobody of another host', async () => {
    await using off = await openPseudoTerminal('n');
    await using test = await startAgent({ relayFrom: ['127.0.0.0/8'], routes: [{ domain: '*', to: 'discard:' }] });
    logIn(test, 'bob', off);
    const replies = await talk(test.port, [
      hello,
      { send: 'SEND FROM:<al@far.example>\r\n', replies: 1 },
      ...['bob', 'ann', 'team', 'nobody'].map((user) => ({ send: `RCPT TO:<${user}@example.org>\r\n`, replies: 1 })),
      { send: 'RCPT TO:<x@elsewhere.example>\r\n', replies: 1 },
    ]);
    expect(replies.slice(3).map((reply) => reply.slice(0, 9))).toEqual([
      '450 4.2.1',
      '450 4.2.1',
      '450 4.2.1',
      '550 5.1.1',
      '550 5.3.3',
    ]);
  }, 20_000);

  it('CMD-SEND-2 takes no more than a terminal is to show, whether it is announced or not', async () => {
    await using screen = await openPseudoTerminal();
    await using test = await startAgent();
    logIn(test, 'bob', screen);
    const long = `${'x'.repeat(70)}\r\n`.repeat(300);
    const replies = await talk(test.port, [
      hello,
      { send: 'SEND FROM:<al@far.example> SIZE=20000\r\n', replies: 1 },
      { send: 'SEND FROM:<al@far.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n', replies: 3 },
      { send: `${long}.\r\n`, replies: 1 },
    ]);
    expect([replies[2], replies.at(-1)].map((reply) => reply?.slice(0, 9))).toEqual(['552 5.3.4', '552 5.3.4']);
  }, 20_000);

  it('CMD-SEND-2 CMD-SEND-3 waits for a terminal that went away meanwhile, and bounces by MAIL when none comes back', async () => {
    await using hop = await startNextHop();
    await using test = await startAgent({
      routes: [{ domain: '*', to: hop.to }],
      queue: { retry: ['1s'], lifetime: '2s' },
    });
    let isOn = true;
    const takeBack = test.agent.terminals?.announce('bob@example.org', { show: async () => isOn });
    isOn = false;
    expect(await give(test, 'SEND', 'bob@example.org')).toEqual(['250 2.1.0', '250 2.1.5', '250 2.0.0']);
    await expect.poll(() => toldOf(test, 'deferred').length).toBeGreaterThan(0);
    await expect.poll(() => hop.taken.length, { timeout: 15_000 }).toBe(1);
    expect(hop.taken[0]).toMatchObject({ rcpt: [expect.stringContaining('<al@far.example>')] });
    expect(hop.taken[0]?.mail).toMatch(/^MAIL FROM:<>/);
    expect(hop.taken[0]?.text).toMatch(/Status: 4\.2\.1/);
    if (typeof takeBack === 'function') takeBack();
  }, 30_000);
});

describe('mail for terminals that is not all text', () => {
  const picture = 'Content-Type: image/png\r\n\r\nx\r\n';
  const both = `Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nLook!\r\n--q\r\n${picture}--q--\r\n`;

  it('ENH-6/X.6.4 ENH-6/5.6.1 is shown as far as it is, which its sender learns who wants to; without any text it comes back', async () => {
    await using test = await startAgent();
    const shown: string[] = [];
    test.agent.terminals?.announce('bob@example.org', { show: async (text) => shown.push(text) > 0 });
    const envelope = 'SEND FROM:<ann@example.org>\r\nRCPT TO:<bob@example.org> NOTIFY=SUCCESS,FAILURE\r\nDATA\r\n';
    await talk(test.port, [
      hello,
      { send: envelope, replies: 3 },
      { send: `${both}.\r\n`, replies: 1 },
      { send: envelope, replies: 3 },
      { send: `${picture}.\r\n`, replies: 1 },
    ]);
    const reports = (await mailIn(test, 'ann', 2)).join('\n');
    expect(reports).toMatch(/\nAction: delivered\nStatus: 2\.6\.4\n/);
    expect(reports).toMatch(/\nAction: failed\nStatus: 5\.6\.1\n/);
    expect(shown).toEqual([expect.stringContaining('\r\nLook!\r\n')]);
  });

  it('CMD-SEND-2 goes to the mailbox by SOML, which holds all of it', async () => {
    await using test = await startAgent();
    const shown: string[] = [];
    test.agent.terminals?.announce('bob@example.org', { show: async (text) => shown.push(text) > 0 });
    const envelope = 'SOML FROM:<al@far.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n';
    await talk(test.port, [hello, { send: envelope, replies: 3 }, { send: `${both}.\r\n`, replies: 1 }]);
    expect((await mailIn(test, 'bob', 1))[0]).toContain('image/png');
    expect(shown).toEqual([]);
  });
});

describe('SOML and SAML', () => {
  it('CMD-SEND-2 SOML shows where somebody is there, and keeps for who is not', async () => {
    await using screen = await openPseudoTerminal();
    await using test = await startAgent();
    logIn(test, 'bob', screen);
    expect(await give(test, 'SOML', 'team@example.org')).toEqual(['250 2.1.0', '250 2.1.5', '250 2.0.0']);
    const [mail = ''] = await mailIn(test, 'ann', 1);
    expect(mail).toContain('At noon?');
    await expect.poll(() => screen.shown).toContain('At noon?');
    await mailIn(test, 'bob', 0);
  }, 20_000);

  it('CMD-SEND-2 SAML keeps for all, and shows too where somebody is there', async () => {
    await using screen = await openPseudoTerminal();
    await using test = await startAgent();
    logIn(test, 'bob', screen);
    expect(await give(test, 'SAML', 'team@example.org')).toEqual(['250 2.1.0', '250 2.1.5', '250 2.0.0']);
    for (const box of ['bob', 'ann']) expect((await mailIn(test, box, 1))[0]).toContain('At noon?');
    await expect.poll(() => screen.shown).toContain('At noon?');
  }, 20_000);

  it('CMD-SEND-2 CMD-SEND-3 pass on to other hosts by MAIL', async () => {
    await using hop = await startNextHop();
    await using test = await startAgent({ relayFrom: ['127.0.0.0/8'], routes: [{ domain: '*', to: hop.to }] });
    for (const verb of ['SOML', 'SAML']) {
      expect((await give(test, verb, 'x@elsewhere.example')).at(-1)).toBe('250 2.0.0');
    }
    await expect.poll(() => hop.taken.length).toBe(2);
    for (const { mail } of hop.taken) expect(mail).toMatch(/^MAIL FROM:<al@far\.example>/);
  }, 20_000);
});

it('CMD-SEND-1 the verbs are unknown to an agent without terminals', async () => {
  await using test = await startTestAgent();
  const replies = await talk(test.port, [
    hello,
    { send: 'SEND FROM:<a@b.example>\r\nSOML FROM:<a@b.example>\r\n', replies: 2 },
  ]);
  expect(replies.slice(2).map((reply) => reply.slice(0, 9))).toEqual(['502 5.5.1', '502 5.5.1']);
});
