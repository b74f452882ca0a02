import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

const start = Date.UTC(2026, 10, 21, 10);
let time = start;
const clock = { now: () => time };

/** carol got her mailbox in 2024, of dave's nothing is known, and example.net has another owner since 2020. */
function startOwners(to = 'discard:', change: Partial<ConfigInput> = {}) {
  time = start;
  return startTestAgent(
    (folder) => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to }],
      extensions: { ownership: true },
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: ['ann', 'carol', 'dave', 'sales'],
          mailboxSettings: {
            carol: { ownerSince: '2024-05-01' },
            dave: { ownerSince: 'unknown' },
            sales: { ownerSince: '2025-01-01' },
          },
          aliases: { old: ['carol'], away: ['someone@far.example'] },
        },
        'example.net': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*', ownedSince: '2020-01-01' },
      },
      ...change,
    }),
    clock,
  );
}

async function rcpt(port: number, ...recipients: string[]): Promise<string[]> {
  const send = `MAIL FROM:<x@example.com>\r\n${recipients.map((each) => `RCPT TO:${each}\r\n`).join('')}`;
  const replies = await talk(port, [
    { send: 'EHLO client.example\r\n', replies: 1 },
    { send, replies: 1 + recipients.length },
  ]);
  return replies.slice(3).map((reply) => reply.slice(0, 10).trim());
}

const letter = (...fields: string[]) => `${['Subject: x', ...fields].join('\r\n')}\r\n\r\nHello\r\n`;

describe('the owners of mailboxes', () => {
  it('EXT-RRVS-1 EXT-RRVS-4 ENH-7/5.7.17 ENH-7/5.7.18 ENH-7/5.7.19 tells that another person has the mailbox, and nothing of who always had it', async () => {
    await using test = await startOwners();
    const replies = await rcpt(
      test.port,
      '<carol@example.org> RRVS=2024-04-30T23:59:59Z',
      '<Carol+x@example.org> RRVS=2024-05-01T00:00:00Z',
      '<dave@example.org> RRVS=2024-05-01T00:00:00Z;C',
      '<any@example.net> RRVS=2019-12-31T00:00:00Z',
      '<any@example.net> RRVS=2021-01-01T00:00:00Z',
      '<ann@example.org> RRVS=1970-01-01T00:00:00Z',
      '<sales@example.org> RRVS=1999-01-01T00:00:00Z',
      '<old@example.org> RRVS=2024-01-01T00:00:00Z',
      '<nobody@example.org> RRVS=2024-01-01T00:00:00Z',
    );
    expect(replies).toEqual([
      '550 5.7.17',
      '250 2.1.5',
      '550 5.7.19',
      '550 5.7.18',
      '250 2.1.5',
      '250 2.1.5',
      '250 2.1.5',
      '550 5.7.17',
      '550 5.1.1',
    ]);
  });

  it('EXT-RRVS-4 ends a search for the date of a change, until the hour is over', async () => {
    await using test = await startOwners();
    const ask = (...days: number[]) =>
      rcpt(test.port, ...days.map((day) => `<carol@example.org> RRVS=2024-0${day}-01T00:00:00Z`));
    expect(await ask(1, 2, 3, 4, 9)).toEqual(['550 5.7.17', '550 5.7.17', '550 5.7.17', '550 5.7.17', '250 2.1.5']);
    expect(await ask(6, 1)).toEqual(['450 4.7.1', '550 5.7.17']);
    time += 3_600_000;
    expect(await ask(6)).toEqual(['250 2.1.5']);
  });

  it('EXT-RRVS-2 EXT-RRVS-3 checks the field of the header where RCPT said nothing, and takes it away at delivery', async () => {
    await using test = await startOwners();
    const field = (address: string, date: string) => `Require-Recipient-Valid-Since: ${address};\r\n ${date}`;
    const early = 'Mon, 1 Jan 2024 09:00:00 -0700';
    const late = 'Sat, 1 Jun 2024 09:00:00 -0700';
    const replies = await sendMail(
      test.port,
      { to: ['<carol@example.org>'], text: letter(field('carol@example.org', early)) },
      { to: ['<carol@example.org>'], text: letter(field('Carol@Example.Org', late)) },
      { to: ['<carol@example.org> RRVS=2024-06-01T00:00:00Z'], text: letter(field('carol@example.org', early)) },
      {
        to: ['<carol@example.org>'],
        text: letter(field('other@example.org', early), field('carol@example.org', 'soon')),
      },
    );
    expect(replies.map((reply) => reply.slice(0, 10))).toEqual([
      '550 5.7.17',
      '250 2.0.0 ',
      '250 2.0.0 ',
      '250 2.0.0 ',
    ]);
    const mails = await mailIn(test, 'carol', 3);
    expect(mails.some((mail) => /require-recipient-valid-since/i.test(mail))).toBe(false);
    // The one with the parameter tells that its owner was checked.
    const results = mails.flatMap((mail) => mail.match(/^Authentication-Results:.*\n\t.*$/gm) ?? []);
    expect(results).toEqual(['Authentication-Results: mx.example.org; rrvs=pass\n\tsmtp.rcptto=carol@example.org']);
  });

  it('EXT-RRVS-2 EXT-RRVS-3 passes date and letter on, and drops both behind an alias', async () => {
    await using hop = await startNextHop({ offers: ['RRVS', 'ENHANCEDSTATUSCODES'] });
    await using test = await startOwners(hop.to);
    await sendMail(test.port, {
      to: [
        '<r@far.example> RRVS=2024-06-01T02:00:00+02:00',
        '<c@far.example> RRVS=2024-06-01T00:00:00Z;C',
        '<away@example.org> RRVS=2024-06-01T00:00:00Z',
      ],
      text: letter('Require-Recipient-Valid-Since: third@far.example; Sat, 1 Jun 2024 09:00:00 -0700'),
    });
    await expect.poll(() => hop.taken.length).toBe(1);
    const [r, c, away] = hop.taken[0]?.rcpt ?? [];
    expect(r).toMatch(/^RCPT TO:<r@far\.example> RRVS=2024-06-01T00:00:00Z(?:;R)?$/);
    expect(c).toBe('RCPT TO:<c@far.example> RRVS=2024-06-01T00:00:00Z;C');
    expect(away).toBe('RCPT TO:<someone@far.example>');
    expect(hop.taken[0]?.text).toContain('Require-Recipient-Valid-Since: third@far.example');
  });

  it('EXT-RRVS-3 makes a parameter of the field of who is passed on, for a next hop that knows of owners', async () => {
    const text = letter(
      'Require-Recipient-Valid-Since: F@far.example; Sat, 1 Jun 2024 02:00:00 +0200',
      'Require-Recipient-Valid-Since: p@far.example; Sat, 1 Jun 2024 00:00:00 +0000',
      'Require-Recipient-Valid-Since: away@example.org; Sat, 1 Jun 2024 00:00:00 +0000',
    );
    const to = [
      '<F@far.example>',
      '<p@far.example> RRVS=2023-01-01T00:00:00Z;R',
      '<n@far.example>',
      '<away@example.org>',
    ];
    await using hop = await startNextHop({ offers: ['RRVS', 'ENHANCEDSTATUSCODES'] });
    await using test = await startOwners(hop.to);
    await sendMail(test.port, { to, text });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt).toEqual([
      'RCPT TO:<F@far.example> RRVS=2024-06-01T00:00:00Z;C',
      expect.stringMatching(/^RCPT TO:<p@far\.example> RRVS=2023-01-01T00:00:00Z(?:;R)?$/),
      'RCPT TO:<n@far.example>',
      'RCPT TO:<someone@far.example>',
    ]);
    await using ignorant = await startNextHop();
    await using other = await startOwners(ignorant.to);
    await sendMail(other.port, { to: to.slice(0, 1), text });
    await expect.poll(() => ignorant.taken.length).toBe(1);
    expect(ignorant.taken[0]?.rcpt).toEqual(['RCPT TO:<F@far.example>']);
    expect(ignorant.taken[0]?.text).toContain('Require-Recipient-Valid-Since: F@far.example');
  });

  it('EXT-RRVS-1 EXT-RRVS-2 checks who has mailboxes behind LMTP, which hears nothing of it', async () => {
    await using hop = await startNextHop({ lmtp: true });
    time = start;
    await using test = await startTestAgent(
      () => ({
        extensions: { ownership: true },
        domains: {
          'example.org': {
            deliver: `lmtp://${hop.host}:${hop.port}`,
            mailboxes: '*',
            mailboxSettings: { carol: { ownerSince: '2024-05-01' } },
          },
        },
      }),
      clock,
    );
    expect(await rcpt(test.port, '<carol@example.org> RRVS=2024-04-01T00:00:00Z;R')).toEqual(['550 5.7.17']);
    const to = ['<carol@example.org> RRVS=2024-06-01T00:00:00Z;R', '<ann@example.org> RRVS=1999-01-01T00:00:00Z'];
    expect(await sendMail(test.port, { to })).toEqual([expect.stringMatching(/^250 2\.0\.0 /)]);
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt).toEqual(['RCPT TO:<carol@example.org>', 'RCPT TO:<ann@example.org>']);
  });

  it('EXT-RRVS-1 EXT-RRVS-2 asks for patience while it cannot be read who has which mailbox', async () => {
    time = start;
    await using test = await startTestAgent(
      (folder) => ({
        extensions: { ownership: true },
        domains: { 'example.org': { deliver: 'discard:', mailboxes: '*', ownersFile: `${folder}/owners` } },
      }),
      clock,
    );
    const owners = join(test.folder, 'owners');
    const wanted = ['<Carol+x@example.org>', '<dave@example.org>', '<ann@example.org>'];
    const ask = () => rcpt(test.port, ...wanted.map((each) => `${each} RRVS=2024-04-01T00:00:00Z`));
    const field = 'Require-Recipient-Valid-Since: carol@example.org; Mon, 1 Apr 2024 00:00:00 +0000';
    const send = () => sendMail(test.port, { to: ['<carol@example.org>'], text: letter(field) });
    expect(await ask()).toEqual(['451 4.3.0', '451 4.3.0', '451 4.3.0']);
    expect(await send()).toEqual([expect.stringMatching(/^451 4\.3\.0 /)]);
    expect(test.log.lines.filter(({ level }) => level === 'error')).toHaveLength(4);
    writeFileSync(owners, '# who came when\ncarol 2024-05-01 # from sales\r\n\ndave\tunknown\nann soon\nann\n');
    expect(await ask()).toEqual(['550 5.7.17', '550 5.7.19', '250 2.1.5']);
    expect(await send()).toEqual([expect.stringMatching(/^550 5\.7\.17 /)]);
    writeFileSync(owners, 'carol 2024-03-01T08:30:00Z\nann 2024-12-24\n');
    expect(await ask()).toEqual(['250 2.1.5', '250 2.1.5', '550 5.7.17']);
    rmSync(owners);
    expect(await ask()).toEqual(['451 4.3.0', '451 4.3.0', '451 4.3.0']);
  });

  it('EXT-RRVS-2 ENH-7/5.7.19 fails with R, and goes on with C, where the next hop knows nothing of owners', async () => {
    await using hop = await startNextHop();
    await using test = await startOwners(hop.to);
    await sendMail(test.port, {
      from: '<ann@example.org>',
      to: [
        '<r@far.example> RRVS=2024-06-01T00:00:00Z',
        '<c@far.example> RRVS=2024-06-01T00:00:00Z;C',
        '<n@far.example>',
      ],
    });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt).toEqual(['RCPT TO:<c@far.example>', 'RCPT TO:<n@far.example>']);
    expect(hop.taken[0]?.text).not.toMatch(/require-recipient-valid-since/i);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; r@far.example\nAction: failed\nStatus: 5.7.19\n');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('EXT-RRVS-3 ends at a mailing list, whose members learn nothing of it', async () => {
    await using hop = await startNextHop({ offers: ['RRVS', 'ENHANCEDSTATUSCODES'] });
    const domains = (folder: string) => ({
      'example.org': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['ann'],
        lists: { team: { members: ['m@far.example'], owner: ['ann'] } },
      },
    });
    time = start;
    await using test = await startTestAgent(
      (folder) => ({
        routes: [{ domain: '*', to: hop.to }],
        extensions: { ownership: true },
        domains: domains(folder),
      }),
      clock,
    );
    await sendMail(test.port, {
      from: '<m@far.example>',
      to: ['<team@example.org> RRVS=2024-06-01T00:00:00Z'],
      text: letter('Require-Recipient-Valid-Since: team@example.org; Sat, 1 Jun 2024 09:00:00 -0700'),
    });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt[0]).not.toContain('RRVS');
    expect(hop.taken[0]?.text).not.toMatch(/require-recipient-valid-since/i);
  });
});
