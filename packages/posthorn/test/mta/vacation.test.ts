import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startAgent } from '../../src/mta/start-agent.ts';
import { type Mail, mailIn, memoryLog, sendMail, startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';

type Vacations = NonNullable<NonNullable<ConfigInput['domains']>[string]['vacations']>;

const day = 24 * 60 * 60_000;
const header = 'From: Bob <other@far.example>\r\nReply-To: reply@far.example\r\nTo: Ann <ann@example.org>\r\n';
const letter = (more = '') =>
  `${header}Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@far.example>\r\n${more}\r\nHi\r\n`;

/** An agent where Ann is away, on a clock that the test sets, and a host for the answers. */
async function startAway(ann: Vacations[string] = { text: 'I am away.' }) {
  const clock = { time: Date.UTC(2026, 10, 3, 6) };
  const hop = await startNextHop({ offers: ['PIPELINING', 'DSN', 'ENHANCEDSTATUSCODES'] });
  const now = () => clock.time;
  const test = await startTestAgent(
    (folder) => ({
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: ['ann', 'carl'],
          aliases: { annie: ['ann'], team: ['ann', 'carl'] },
          mailboxSettings: { ann: { fullName: 'Ann Smith' } },
          vacations: { ann },
        },
      },
      routes: [{ domain: '*', to: hop.to }],
    }),
    { now },
  );
  const receive = async (count: number, mail: Partial<Mail> = {}) => {
    await sendMail(test.port, { from: '<bob@far.example>', to: ['<ann@example.org>'], text: letter(), ...mail });
    await mailIn(test, 'ann', count);
    await expect.poll(() => test.agent.store.count()).toBe(0);
  };
  return {
    clock,
    now,
    receive,
    ...pairOf(test, hop),
  };
}

describe('answers of users that are away', () => {
  it('LOC-VAC-2 LOC-VAC-3 go to the return path alone, with the null path, NOTIFY=NEVER and the marks of an answer', async () => {
    await using away = await startAway();
    await away.receive(1);
    const [taken] = away.hop.taken;
    expect(taken?.mail).toMatch(/^MAIL FROM:<>/);
    expect(taken?.rcpt).toEqual(['RCPT TO:<bob@far.example> NOTIFY=NEVER']);
    for (const line of [
      'From: Ann Smith <ann@example.org>',
      'To: <bob@far.example>',
      'Subject: Auto: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
      'In-Reply-To: <1@far.example>',
      'References: <1@far.example>',
      'Auto-Submitted: auto-replied',
    ]) {
      expect(taken?.text).toContain(`\r\n${line}\r\n`);
    }
    expect(taken?.text).toMatch(/\r\n\r\nI am away\.\r\n$/);
  });

  it('LOC-VAC-2 are from whom and about what the user says', async () => {
    await using away = await startAway({ text: 'Gone', from: 'The Office <office@example.net>', subject: 'Away' });
    await away.receive(1);
    expect(away.hop.taken[0]?.text).toContain('\r\nFrom: The Office <office@example.net>\r\n');
    expect(away.hop.taken[0]?.text).toContain('\r\nSubject: Away\r\n');
  });

  it('LOC-VAC-2 go to the same person once in seven days, and another text goes again', async () => {
    await using away = await startAway();
    await away.receive(1);
    await away.receive(2, { from: '<BOB@far.example>' });
    away.clock.time += 7 * day - 1;
    await away.receive(3);
    await away.receive(4, { from: '<eve@far.example>' });
    expect(away.hop.taken.map(({ rcpt }) => rcpt[0]?.split(' ')[1])).toEqual([
      'TO:<bob@far.example>',
      'TO:<eve@far.example>',
    ]);
    away.clock.time += 1;
    await away.receive(5);
    await expect.poll(() => away.hop.taken.length).toBe(3);
  });

  it('LOC-VAC-2 are remembered over a restart', async () => {
    await using away = await startAway();
    await away.receive(1);
    await away.test.agent.close({ grace: 1000 });
    const again = await startAgent({ config: away.test.config, log: memoryLog(), now: away.now });
    const [listener] = again.listeners;
    const port = listener !== undefined && 'port' in listener ? listener.port : 0;
    await sendMail(port, { from: '<bob@far.example>', to: ['<ann@example.org>'], text: letter() });
    await mailIn(away.test, 'ann', 2);
    await expect.poll(() => again.store.count()).toBe(0);
    await again.close();
    expect(away.hop.taken).toHaveLength(1);
  });

  it('LOC-VAC-1 LOC-VAC-3 are kept from reports, programs, lists and who did not write to the user', async () => {
    await using away = await startAway();
    const silent: Partial<Mail>[] = [
      { from: '<>' },
      { from: '<owner-x@far.example>' },
      { from: '<x-request@far.example>' },
      { from: '<mailer-daemon@far.example>' },
      { text: letter('Auto-Submitted: auto-generated (cron); x=no\r\n') },
      { text: letter('Precedence: bulk\r\n') },
      { text: letter('List-Id: <x.y>\r\n') },
      { text: letter('X-Spam-Flag: YES\r\n') },
      { text: 'To: carl@example.org\r\n\r\nHi\r\n' },
      { text: 'To: team@example.org\r\n\r\nHi\r\n', to: ['<team@example.org>'] },
    ];
    for (const [index, mail] of silent.entries()) await away.receive(index + 1, mail);
    expect(away.hop.taken).toEqual([]);
    await away.receive(silent.length + 1, { text: letter('Auto-Submitted: (a person) no; x=auto-generated\r\n') });
    expect(away.hop.taken).toHaveLength(1);
  });

  it('LOC-VAC-1 know aliases, details and further addresses of the user', async () => {
    await using away = await startAway({ text: 'Gone', addresses: ['ann@home.example'] });
    for (const [index, to] of ['annie@example.org', 'ANN+x@example.org', 'ann@home.example'].entries()) {
      await away.receive(index + 1, { from: `<b${index}@far.example>`, text: `Cc: x@y.example, ${to}\r\n\r\nHi\r\n` });
    }
    expect(away.hop.taken).toHaveLength(3);
  });

  it('go out only while the user is away', async () => {
    await using away = await startAway({ text: 'Gone', since: '2026-11-04', until: '2026-11-05T00:00:00Z' });
    await away.receive(1);
    away.clock.time += day;
    await away.receive(2);
    away.clock.time += day;
    await away.receive(3, { from: '<eve@far.example>' });
    expect(away.hop.taken.map(({ rcpt }) => rcpt[0]?.split(' ')[1])).toEqual(['TO:<bob@far.example>']);
  });
});
