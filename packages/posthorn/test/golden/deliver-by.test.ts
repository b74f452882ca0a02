import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent } from '../mta/fixture.ts';
import { GoldenClock, GoldenHost, runGolden } from './run-golden.ts';

interface Setting {
  readonly clock: GoldenClock;
  readonly retry?: string;
  readonly minimum?: string;
  readonly to?: string;
}

/** relay.example.org of the dialogues: it relays for all, and ann has her mailbox there. */
function startRelay({ clock, retry = '10s', minimum = '0s', to = 'discard:' }: Setting) {
  return startTestAgent(
    (folder) => ({
      hostname: 'relay.example.org',
      domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['ann'] } },
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to }],
      queue: { retry: [retry], connectionIdleTime: '0s' },
      extensions: { deliverBy: { minimum } },
    }),
    clock,
  );
}

const targetOf = (host: GoldenHost) => `smtp://127.0.0.1:${host.port}?tls=none`;

/** The fields of the delivery-status part. */
function statusOf(report: string | undefined): string {
  const part = /Content-Type: message\/delivery-status\n\n(.*?)\n--/s.exec(report ?? '')?.[1];
  return part ?? '';
}

describe('the dialogues about the time to deliver in', () => {
  it('EXT-DBY-1 takes and refuses the times of DLG-DBY-1', async () => {
    const clock = new GoldenClock();
    await using test = await startRelay({ clock, minimum: '60s' });
    await runGolden('dlg-dby-1.txt', { plays: 'C', clock, ports: { 25: test.port } });
    const deliverBy = async () => test.log.lines.filter(({ text }) => text === 'delivered').length;
    await expect.poll(deliverBy).toBe(1);
  });

  it('EXT-DBY-2 passes on the seconds that are left, as in DLG-DBY-2', async () => {
    const clock = new GoldenClock();
    await using host = await GoldenHost.listen();
    await using test = await startRelay({ clock, to: targetOf(host) });
    const sent = sendMail(test.port, { from: '<ann@example.org> BY=120;R', to: ['<top@example.com>'] });
    const { texts } = await runGolden('dlg-dby-2.txt', {
      plays: 'S',
      clock,
      hosts: { 'mx1.example.com': host },
      events: { 'next attempt': () => test.agent.wake() },
    });
    expect((await sent)[0]).toMatch(/^250 /);
    expect(texts[0]?.filter((line) => line.startsWith('Received:'))).toHaveLength(1);
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('EXT-DBY-4 EXT-DBY-5 ENH-4/5.4.7 gives back what the next hop has too little time for, as in DLG-DBY-3', async () => {
    const clock = new GoldenClock();
    await using host = await GoldenHost.listen();
    await using test = await startRelay({ clock, to: targetOf(host) });
    await sendMail(test.port, { from: '<ann@example.org> BY=120;R', to: ['<top@example.com>'] });
    await runGolden('dlg-dby-3.txt', {
      plays: 'S',
      clock,
      hosts: { 'mx2.example.com': host },
      events: { 'next attempt': () => test.agent.wake() },
    });
    const [report] = await mailIn(test, 'ann', 1);
    const status = statusOf(report);
    expect(status).toContain(
      'Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000\nDeliver-By-Date: Sat, 21 Nov 2026 10:02:00 +0000',
    );
    expect(status).toContain('Action: failed\nStatus: 5.4.7\n');
    expect(status).toMatch(/Diagnostic-Code: x-posthorn; .*240 seconds.*98/);
    expect(status).toContain('Last-Attempt-Date: Sat, 21 Nov 2026 10:00:22 +0000');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('EXT-DBY-4 EXT-DBY-6 EXT-DBY-7 tells that mode N with trace went on, as in DLG-DBY-4', async () => {
    const clock = new GoldenClock();
    await using host = await GoldenHost.listen();
    await using test = await startRelay({ clock, to: targetOf(host) });
    await sendMail(test.port, {
      from: '<ann@example.org> BY=600;NT',
      to: ['<ed@example.net>', '<flo@example.net> NOTIFY=SUCCESS', '<gus@example.net> NOTIFY=NEVER'],
    });
    await runGolden('dlg-dby-4.txt', {
      plays: 'S',
      clock,
      hosts: { 'mx.example.net': host },
      events: { 'next attempt': () => test.agent.wake() },
    });
    const [report] = await mailIn(test, 'ann', 1);
    const [message, ...recipients] = statusOf(report).split('\n\n');
    expect(message).toContain('Deliver-By-Date: Sat, 21 Nov 2026 10:10:00 +0000');
    expect(recipients).toHaveLength(2);
    for (const [index, name] of ['ed', 'flo'].entries()) {
      const group = recipients[index] ?? '';
      expect(group).toContain(`Final-Recipient: rfc822; ${name}@example.net\nAction: relayed\nStatus: 2.1.5\n`);
      expect(group).toContain('Diagnostic-Code: smtp; 250 2.0.0 Ok: queued as Q2\n');
      expect(group).toContain('Last-Attempt-Date: Sat, 21 Nov 2026 10:00:30 +0000');
    }
  });

  it('EXT-DBY-2 EXT-DBY-3 ENH-4/4.4.7 tells of mode N at its time, once, and goes on, as in DLG-DBY-5', async () => {
    const clock = new GoldenClock();
    await using host = await GoldenHost.listen();
    await using test = await startRelay({ clock, retry: '4m', to: targetOf(host) });
    await sendMail(test.port, { from: '<ann@example.org> BY=120;N', to: ['<top@example.com>'] });
    const readReport = async () => {
      test.agent.wake();
      const [report] = await mailIn(test, 'ann', 1);
      expect(statusOf(report)).toContain('Deliver-By-Date: Sat, 21 Nov 2026 10:02:00 +0000');
      expect(statusOf(report)).toContain('Action: delayed\nStatus: 4.4.7\n');
    };
    await runGolden('dlg-dby-5.txt', {
      plays: 'S',
      clock,
      hosts: { 'mx.example.com': host },
      events: { 'report of the delay': readReport, 'next attempt': () => test.agent.wake() },
    });
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'ann', 1);
  });

  it('EXT-DBY-3 EXT-DBY-5 ENH-4/5.4.7 gives mode R back at its time without another attempt, as in DLG-DBY-5', async () => {
    const clock = new GoldenClock();
    await using host = await GoldenHost.listen();
    await using test = await startRelay({ clock, retry: '4m', to: targetOf(host) });
    await sendMail(test.port, {
      from: '<ann@example.org> BY=120;R',
      to: ['<top@example.com>', '<told@example.com> NOTIFY=FAILURE', '<never@example.com> NOTIFY=NEVER'],
    });
    const peer = await host.accept();
    for (const reply of ['220 mx ESMTP', '250-mx.example.com\r\n250-DSN\r\n250 DELIVERBY', '450 4.3.2 Not yet']) {
      peer.send(Buffer.from(`${reply}\r\n`));
      if (!reply.startsWith('450')) await peer.line();
    }
    expect(await peer.line()).toBe('QUIT');
    const isDeferred = () => test.log.lines.filter(({ text }) => text === 'deferred').length;
    await expect.poll(isDeferred).toBe(3);
    clock.advance('120s');
    test.agent.wake();
    const [report] = await mailIn(test, 'ann', 1);
    const [message, ...recipients] = statusOf(report).split('\n\n');
    expect(message).toContain('Deliver-By-Date: Sat, 21 Nov 2026 10:02:00 +0000');
    expect(recipients.map((group) => /Final-Recipient: (.*)/.exec(group)?.[1])).toEqual([
      'rfc822; top@example.com',
      'rfc822; told@example.com',
    ]);
    for (const group of recipients) expect(group).toContain('Action: failed\nStatus: 5.4.7\n');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });
});
