import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SocketClient } from '../../../smtp/test/laws/socket-client.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn } from '../mta/fixture.ts';
import { answerChallenge, leaveMail, startProvider } from '../mta/on-demand-agents.ts';
import { GoldenClock, runGolden } from './run-golden.ts';

const letter = [
  'From: Dora <dora@example.edu>',
  'To: sales@shop.example.com',
  'Subject: order 17',
  'Date: Sat, 21 Nov 2026 09:12:00 +0000',
  'Message-ID: <o17@example.edu>',
  '',
  'Two crates, please.',
];

/** odmr.example.net of the dialogues, where the address of a client stands for a login, too; its clock is theirs. */
async function startDialogueProvider(change: (folder: string) => Partial<ConfigInput> = () => ({})) {
  const clock = new GoldenClock();
  const provider = await startProvider(change, clock);
  return Object.assign(provider, { clock });
}

/** The challenge is another each time: what it is answered with follows from it. */
async function answer(peer: SocketClient): Promise<void> {
  const challenge = await peer.line();
  expect(Buffer.from(challenge.slice(4), 'base64').toString()).toMatch(/^<\d+\.1795255200@odmr\.example\.net>$/);
  peer.send(`${answerChallenge(challenge, 'branch')}\r\n`);
}

describe('the dialogues of on-demand relay', () => {
  it('CMD-ATRN-1 CMD-ATRN-2 CMD-ATRN-3 CMD-ATRN-4 CMD-ATRN-5 CMD-AUTH-11 gives mail as DLG-ATRN-1 does, and a report for who is refused', async () => {
    await using provider = await startDialogueProvider();
    const to = ['<sales@shop.example.com>', '<gone@shop.example.com>'];
    await leaveMail(provider, { from: '<dora@example.edu>', to, text: `${letter.join('\r\n')}\r\n` });
    const { texts } = await runGolden('dlg-atrn-1.txt', {
      plays: 'C',
      clock: provider.clock,
      ports: { 366: provider.odmr },
      events: {
        'challenge, answered for branch': answer,
        'MAIL of dora with its size': async (peer) => {
          expect(await peer.line()).toMatch(/^MAIL FROM:<dora@example\.edu> SIZE=\d+$/);
        },
      },
    });
    expect(texts[0]?.filter((line) => line.startsWith('Received:'))).toHaveLength(1);
    expect(texts[0]?.slice(-letter.length)).toEqual(letter);
    const [report] = await mailIn(provider, 'dora', 1);
    expect(report).toMatch(/\nFinal-Recipient: rfc822; gone@shop\.example\.com\n(?:.+\n)*Status: 5\.1\.1\n/);
    expect(report).not.toContain('\nFinal-Recipient: rfc822; sales@');
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-1 CMD-ATRN-2 CMD-ATRN-4 CMD-AUTH-11 REP-450 REP-451 REP-453 REP-502 REP-530 EX-14 refuses as DLG-ATRN-2 does', async () => {
    await using provider = await startDialogueProvider((folder) => {
      writeFileSync(join(folder, 'rights'), 'branch shop.example.com\n');
      return { odmr: { domainsFile: join(folder, 'rights') } };
    });
    const file = join(provider.folder, 'rights');
    await runGolden('dlg-atrn-2.txt', {
      plays: 'C',
      clock: provider.clock,
      ports: { 366: provider.odmr },
      events: {
        'challenge, answered for branch': answer,
        'domain table unavailable': () => renameSync(file, `${file} away`),
        'domain table available': () => renameSync(`${file} away`, file),
      },
    });
  });
});
