import { expect, it } from 'vitest';
import { mailIn, startTestAgent, type TestAgent } from '../mta/fixture.ts';
import { GoldenClock, runGolden } from './run-golden.ts';

const clock = new GoldenClock();

function startAgent(): Promise<TestAgent> {
  return startTestAgent(
    (folder) => ({
      hostname: 'mx.example.com',
      domains: { 'example.com': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob'] } },
    }),
    { now: clock.now },
  );
}

const content = [
  'From: Ann <ann@example.org>',
  'To: Bob <bob@example.com>',
  'Subject: report',
  'Date: Sat, 21 Nov 2026 09:00:00 +0000',
  'Message-ID: <r1@example.org>',
  '',
  'first line',
  '.second line begins with a dot',
  'third line',
  'fourth line',
  '',
].join('\n');

it('DLG-CKPT-1 EXT-CKPT-1 EXT-CKPT-2 EXT-CKPT-4 EXT-CKPT-5 REP-355 goes on with a text that was cut off at the beginning of a line', async () => {
  await using test = await startAgent();
  await runGolden('dlg-ckpt-1.txt', { plays: 'C', ports: { 25: test.port }, clock });
  const [mail = ''] = await mailIn(test, 'bob', 1);
  expect(mail.endsWith(content)).toBe(true);
  expect(mail.match(/^Received:/gm)).toHaveLength(1);
});

it('DLG-CKPT-2 EXT-CKPT-3 EXT-CKPT-5 says the final 250 again that was lost, and delivers once', async () => {
  await using test = await startAgent();
  const isQueued = () => test.log.lines.some(({ text }) => text === 'queued');
  await runGolden('dlg-ckpt-2.txt', {
    plays: 'C',
    ports: { 25: test.port },
    clock,
    events: {
      'server commits as C1': () => expect.poll(isQueued).toBe(true),
      'cut before the reply': (peer) => peer.destroy(),
    },
  });
  const [mail = ''] = await mailIn(test, 'bob', 1);
  expect(mail.endsWith(content)).toBe(true);
  expect(test.agent.store.count()).toBe(0);
});

it('DLG-CKPT-3 EXT-CKPT-1 EXT-CKPT-2 EXT-CKPT-3 EXT-CKPT-5 goes on with nothing that has no text, another name, or lies too long', async () => {
  await using test = await startAgent();
  await runGolden('dlg-ckpt-3.txt', { plays: 'C', ports: { 25: test.port }, clock });
  expect(test.log.lines.some(({ text }) => text === 'queued')).toBe(false);
});
