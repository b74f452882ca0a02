import { formatTimestamp } from '@posthorn/smtp/bytes/timestamp';
import { Failure } from '@posthorn/smtp/failure/failure';
import { describe, expect, it } from 'vitest';
import { HeldQuota } from '../../src/mta/held-quota.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { logIn, openSession, startSubmission } from './submission-agent.ts';

const start = Date.UTC(2026, 10, 21, 10);
const hour = 3_600_000;

/** A clock that only the test moves. */
function stillClock() {
  let time = start;
  return {
    now: () => time,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

const text = Buffer.from(
  'From: <alice@example.org>\r\nSubject: later\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nx\r\n',
);

async function hold(port: number, seconds: number, to = 'bob@example.org') {
  await using connection = await logIn(port, 'alice');
  const mail = { hold: { for: seconds } };
  return await connection.send({ envelope: { from: 'alice@example.org', to: [to], mail }, text });
}

const futureRelease = { longest: '2d', perUser: 2, total: 100 };

describe('mail for later', () => {
  it('EXT-FUT-1 is offered on submission alone, with how long and until when', async () => {
    const clock = stillClock();
    await using agent = await startSubmission({ extensions: { futureRelease } }, clock);
    await using connection = await logIn(agent.submission, 'alice');
    expect(connection.capabilities.longestHold).toEqual({ seconds: 172_800, until: start + 48 * hour });
    const [reply] = await sendMail(agent.mx, { from: '<alice@example.org> HOLDFOR=60', to: ['<bob@example.org>'] });
    expect(reply).not.toMatch(/^250/);
    const session = await openSession(agent.submission, 'alice');
    const say = async (parameters: string) => {
      const { code, status } = await session.command(`MAIL FROM:<alice@example.org> ${parameters}`);
      await session.command('RSET');
      return `${code} ${status}`;
    };
    expect(await say('HOLDFOR=172800')).toBe('250 2.1.0');
    expect(await say('HOLDFOR=172801')).toBe('501 5.5.4');
    expect(await say(`HOLDUNTIL=${formatTimestamp(start + 49 * hour)}`)).toBe('501 5.5.4');
    expect(await say(`HOLDUNTIL=${formatTimestamp(start - hour)}`)).toBe('501 5.5.4');
    expect(await say('HOLDFOR=60 HOLDUNTIL=2026-11-22T00:00:00Z')).toBe('501 5.5.4');
  });

  it('EXT-FUT-2 stays until its release, whoever asks for it', async () => {
    const clock = stillClock();
    await using agent = await startSubmission({ extensions: { futureRelease } }, clock);
    const { ok } = await hold(agent.submission, 3600);
    expect(ok).toBe(true);
    const { store } = agent.test.agent;
    await expect.poll(() => agent.test.agent.inHand()).toBe(0);
    await expect.poll(() => store.nextDue()).toBe(start + hour);
    clock.pass(hour - 1000);
    const ids: string[] = [];
    for await (const { envelope } of store.list()) ids.push(envelope.id);
    // An impatient operator.
    await store.change(ids[0] ?? '', ({ state }) => ({ state: { ...state, due: 0 }, reports: [] }));
    agent.test.agent.wake();
    await expect.poll(() => store.nextDue()).toBe(start + hour);
    clock.pass(1000);
    agent.test.agent.wake();
    const [mail] = await mailIn(agent.test, 'bob', 1);
    expect(mail).toContain('Subject: later');
  });

  it('EXT-FUT-2 survives a restart, and is tried for its whole time from the release on', async () => {
    const clock = stillClock();
    const change = (folder: string) => ({
      routes: [{ domain: '*', to: 'smtp://127.0.0.1:1?tls=none' }],
      queue: { lifetime: '1h', delayWarningAfter: '30m', retry: ['10m'] },
      dataDir: folder,
    });
    await using first = await startTestAgent(change, clock);
    const draft = first.agent.store.draft();
    const content = Buffer.from('Subject: x\r\n\r\nx\r\n');
    draft.write(content);
    const envelope = {
      id: draft.id,
      reversePath: 'ann@example.org',
      recipients: [{ address: 'top@far.example' }],
      receivedAt: start,
      heldUntil: start + 24 * hour,
      hold: { until: start + 24 * hour },
      size: content.length,
      body: '7BIT',
      smtputf8: false,
      origin: { clientAddress: 'local' },
    } as const;
    await draft.commit(envelope);
    await first.agent.close({ grace: 0 });
    await using second = await startTestAgent(
      (folder) => ({ ...change(folder), dataDir: first.config.dataDir }),
      clock,
    );
    const { agent } = second;
    await expect.poll(() => agent.store.nextDue()).toBe(start + 24 * hour);
    expect(second.log.lines.filter(({ text }) => text === 'deferred')).toEqual([]);
    clock.pass(24 * hour);
    agent.wake();
    await expect.poll(() => second.log.lines.filter(({ text }) => text === 'deferred').length).toBe(1);
    expect(agent.store.count()).toBe(1);
    clock.pass(40 * 60_000);
    agent.wake();
    const [delayed] = await mailIn(second, 'ann', 1);
    expect(delayed).toContain('\nAction: delayed\n');
    expect(delayed).toContain('\nArrival-Date: Sat, 21 Nov 2026 10:00:00 +0000\n');
    expect(delayed).toContain('\nFuture-Release-Request: until;2026-11-22T10:00:00Z\n');
    expect(delayed).toContain('\nWill-Retry-Until: Sun, 22 Nov 2026 11:00:00 +0000\n');
  });

  it('EXT-FUT-3 refuses a release behind the time to deliver in, which counts from MAIL', async () => {
    const clock = stillClock();
    await using agent = await startSubmission({ extensions: { futureRelease, deliverBy: {} } }, clock);
    const session = await openSession(agent.submission, 'alice');
    const { code, status } = await session.command('MAIL FROM:<alice@example.org> HOLDFOR=600 BY=500;R');
    expect([code, status]).toEqual([501, '5.5.4']);
    await using connection = await logIn(agent.submission, 'alice');
    const mail = { hold: { for: 600 }, deliverBy: { seconds: 700, mode: 'N' } } as const;
    await connection.send({ envelope: { from: 'alice@example.org', to: ['bob@example.org'], mail }, text });
    const found = [];
    for await (const { envelope } of agent.test.agent.store.list()) found.push(envelope);
    expect(found).toMatchObject([{ heldUntil: start + 600_000, deliverBy: { until: start + 700_000 } }]);
  });

  it('EXT-FUT-4 lets one login have so many messages wait, and all of them so many', async () => {
    const clock = stillClock();
    await using agent = await startSubmission({ extensions: { futureRelease: { ...futureRelease, total: 3 } } }, clock);
    const code = async () => {
      const { recipients } = await hold(agent.submission, 3600);
      return `${recipients[0]?.reply?.code} ${recipients[0]?.status}`;
    };
    expect([await code(), await code()]).toEqual(['250 2.0.0', '250 2.0.0']);
    expect(await code()).toBe('552 5.2.2');
    const { store } = agent.test.agent;
    for await (const { envelope } of store.list({ limit: 1 })) {
      await expect.poll(() => store.change(envelope.id, () => ({ state: 'done', reports: [] }))).toBe(true);
    }
    expect(await code()).toBe('250 2.0.0');
    clock.pass(2 * hour);
    expect(await code()).toBe('250 2.0.0');
  });

  it('EXT-FUT-4 REP-455 counts what waited before, and holds nothing as long as it cannot count', async () => {
    await using store = createMemoryStore({ now: () => start });
    const limits = { perUser: 5, total: 1 };
    const envelope = {
      id: store.newId(),
      reversePath: '',
      recipients: [{ address: 'a@b.example' }],
      receivedAt: start,
      heldUntil: start + hour,
      size: 1,
      body: '7BIT',
      smtputf8: false,
      origin: { clientAddress: '192.0.2.1', login: 'alice' },
    } as const;
    await store.add([{ envelope, content: Buffer.from('x') }]);
    const quota = new HeldQuota({ store, limits, now: () => start });
    expect(await quota.check('bob')).toMatchObject({ code: 452, status: '4.3.1' });
    let isBroken = true;
    const faulty = {
      get: (id: string) => store.get(id),
      list() {
        if (isBroken) throw new Failure('storage', 'no disk');
        return store.list();
      },
    };
    const other = new HeldQuota({ store: faulty, limits: { perUser: 1, total: 9 }, now: () => start });
    expect(await other.check('alice')).toMatchObject({ code: 455, status: '4.3.0' });
    isBroken = false;
    expect(await other.check('alice')).toMatchObject({ code: 552, status: '5.2.2' });
    expect(await other.check('bob')).toBeUndefined();
  });
});
