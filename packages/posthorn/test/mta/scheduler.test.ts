import { describe, expect, it } from 'vitest';
import { Log } from '../../src/mta/log.ts';
import { ReportWriter } from '../../src/mta/report-writer.ts';
import { Scheduler, type SchedulerLimits } from '../../src/mta/scheduler.ts';
import type { DeliveryAgent, DeliveryJob } from '../../src/queue/delivery-agent.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { defaultRetryPolicy } from '../../src/queue/retry-policy.ts';
import { freshState } from '../../src/queue/settle.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { memoryLog } from './fixture.ts';

const limits: SchedulerLimits = {
  concurrency: 2,
  waiting: 10,
  messages: 100,
  octets: 1_000_000,
  attemptTime: 60_000,
};

const delivered: Outcome = { kind: 'delivered', status: '2.0.0', at: 0, handover: 'final' };

/** The next hop of an address is its domain. */
function routeByDomain(address: string): NextHop {
  const key = address.slice(address.indexOf('@') + 1);
  return { kind: 'maildir', key, path: `/${key}` };
}

interface Options {
  readonly limits?: Partial<SchedulerLimits>;
  readonly deliver: (job: DeliveryJob) => Promise<readonly Outcome[]>;
  /** Methods of the store that do something else. */
  readonly faulty?: (methods: Pick<QueueStore, 'settle' | 'content'>) => Partial<QueueStore>;
}

/** A scheduler over a store in memory, whose clock the test can put forward. */
function start({ deliver, faulty, limits: changed }: Options) {
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const store = createMemoryStore({ now });
  Object.assign(store, faulty?.({ settle: store.settle.bind(store), content: store.content.bind(store) }));
  const sink = memoryLog();
  const agent: DeliveryAgent = { deliver, close: async () => undefined };
  const scheduler = new Scheduler({
    store,
    route: routeByDomain,
    agentFor: () => agent,
    reports: new ReportWriter({
      expand: (addresses) => addresses.map((address) => ({ address })),
      hostname: 'mx.example.org',
      postmaster: 'postmaster@example.org',
      policy: defaultRetryPolicy,
      newId: () => store.newId(),
      now,
    }),
    policy: defaultRetryPolicy,
    limits: { ...limits, ...changed },
    log: new Log(sink),
    now,
    chance: () => 0.5,
  });
  return {
    store,
    scheduler,
    log: sink,
    /** Puts the clock forward, and has the scheduler look at the store. */
    pass(milliseconds: number): void {
      ahead += milliseconds;
      scheduler.wake();
    },
    /** Takes a message in as a session does. */
    async receive(...to: string[]): Promise<string> {
      const draft = store.draft();
      const bytes = Buffer.from('Subject: x\r\n\r\nhello\r\n');
      draft.write(bytes);
      const recipients = to.map((address) => ({ address }));
      const envelope = {
        id: draft.id,
        reversePath: 'ann@example.org',
        recipients,
        receivedAt: now(),
        size: bytes.length,
        body: '7BIT' as const,
        smtputf8: false,
        origin: { clientAddress: 'local' },
      };
      const content = await draft.commit(envelope);
      scheduler.take({ envelope, state: freshState(recipients, now()) }, content);
      return envelope.id;
    },
    async [Symbol.asyncDispose]() {
      await scheduler.stop(0);
      await store.close();
    },
  };
}

/** Jobs that end when the test says so, or when they are aborted. */
function gate() {
  const jobs: { job: DeliveryJob; end: (outcome: Outcome) => void }[] = [];
  const aborted: Outcome = { kind: 'deferred', status: '4.3.2', at: 0, text: 'aborted' };
  return {
    jobs,
    deliver: (job: DeliveryJob) =>
      new Promise<readonly Outcome[]>((resolve) => {
        const end = (outcome: Outcome) => resolve(job.recipients.map(() => outcome));
        job.signal.addEventListener('abort', () => end(aborted));
        jobs.push({ job, end });
      }),
  };
}

describe('the scheduler', () => {
  it('brings a thousand messages through though it may have only five in hand', async () => {
    const seen: string[] = [];
    let most = 0;
    await using test = start({
      limits: { messages: 5 },
      deliver: async (job) => {
        most = Math.max(most, test.scheduler.size);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(job.envelope.id);
        return [delivered];
      },
    });
    const ids = await Promise.all(Array.from({ length: 1000 }, (_, at) => test.receive(`u@${at % 7}.example`)));
    await expect.poll(() => test.store.count(), { timeout: 20_000 }).toBe(0);
    expect(seen.sort()).toEqual(ids.sort());
    expect(most).toBeLessThanOrEqual(5);
  });

  it('tells the log that mail has failed when its time in the queue is over', async () => {
    const trouble: Outcome = { kind: 'deferred', status: '4.4.1', at: 0, text: 'nobody there' };
    await using test = start({ deliver: async (job) => job.recipients.map(() => trouble) });
    const told = () => test.log.lines.map(({ fields, text }) => [(fields as { to?: string }).to, text]);
    await test.receive('u@a.example');
    await expect.poll(told).toEqual([['u@a.example', 'deferred']]);
    test.pass(6 * 24 * 60 * 60_000);
    await expect.poll(() => told().filter(([to]) => to === 'u@a.example')).toHaveLength(2);
    expect(told()).toContainEqual(['u@a.example', 'failed']);
    expect(test.log.lines[1]?.fields).toMatchObject({ said: 'The time in the queue is over: nobody there' });
  });

  it('CLI-RPL-6 gives messages for a crowded next hop back, lets others pass, and takes them again', async () => {
    const { jobs, deliver } = gate();
    const others: string[] = [];
    await using test = start({
      limits: { concurrency: 1, waiting: 2 },
      deliver: (job) => {
        if (job.nextHop.key === 'slow.example') return deliver(job);
        others.push(job.envelope.id);
        return Promise.resolve([delivered]);
      },
    });
    for (let count = 0; count < 10; count += 1) await test.receive('u@slow.example');
    await expect.poll(() => test.scheduler.size).toBe(3);
    await test.receive('u@quick.example');
    await expect.poll(() => others).toHaveLength(1);
    expect(jobs).toHaveLength(1);
    let ended = 0;
    await expect
      .poll(
        () => {
          for (; ended < jobs.length; ended += 1) jobs[ended]?.end(delivered);
          test.pass(10_000);
          return test.store.count();
        },
        { timeout: 10_000 },
      )
      .toBe(0);
    expect(new Set(jobs.map(({ job }) => job.envelope.id)).size).toBe(10);
    expect(jobs).toHaveLength(10);
  });

  it('CLI-DUP-3 writes down who has the mail while another next hop is under way', async () => {
    const { jobs, deliver } = gate();
    await using test = start({
      deliver: (job) => (job.nextHop.key === 'slow.example' ? deliver(job) : Promise.resolve([delivered])),
    });
    const id = await test.receive('a@slow.example', 'b@one.example', 'c@two.example');
    const kinds = async () => (await test.store.get(id))?.state.recipients.map(({ kind }) => kind);
    await expect.poll(kinds).toEqual(['pending', 'delivered', 'delivered']);
    jobs[0]?.end(delivered);
    await expect.poll(() => test.store.count()).toBe(0);
    expect(jobs).toHaveLength(1);
  });

  it('loses nothing when what came of an attempt cannot be written down', async () => {
    let faults = 1;
    let attempts = 0;
    await using test = start({
      faulty: ({ settle }) => ({
        settle: (id, settlement) => (faults-- > 0 ? Promise.reject(new Error('no disk')) : settle(id, settlement)),
      }),
      deliver: async () => {
        attempts += 1;
        return [delivered];
      },
    });
    await test.receive('u@one.example');
    const faultsTold = () => test.log.lines.filter(({ level }) => level === 'error').map(({ text }) => text);
    await expect.poll(faultsTold).toEqual(['the outcome cannot be recorded']);
    await expect.poll(() => test.scheduler.size).toBe(0);
    expect(test.store.count()).toBe(1);
    test.pass(61_000);
    await expect.poll(() => test.store.count()).toBe(0);
    expect(attempts).toBe(2);
  });

  it('goes on with all others when one message cannot be read, and when an agent has a fault of its own', async () => {
    let unreadable = '';
    let release: (() => void) | undefined;
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: string[] = [];
    await using test = start({
      limits: { messages: 1 },
      faulty: ({ content }) => ({
        content: (id) => (id === unreadable ? Promise.reject(new Error('broken record')) : content(id)),
      }),
      deliver: async ({ envelope, nextHop }) => {
        await hold;
        if (nextHop.key === 'fault.example') throw new TypeError('a bug');
        seen.push(envelope.id);
        return [delivered];
      },
    });
    const first = await test.receive('u@fault.example');
    unreadable = await test.receive('u@one.example');
    const others = [await test.receive('u@one.example'), await test.receive('u@one.example')];
    release?.();
    await expect.poll(() => test.store.count()).toBe(2);
    expect(seen.sort()).toEqual(others.sort());
    expect((await test.store.get(first))?.state.recipients).toMatchObject([
      { kind: 'pending', last: { status: '4.3.0' } },
    ]);
    unreadable = '';
    test.pass(11 * 60_000);
    await expect.poll(() => test.store.count()).toBe(1);
  });

  it('delivers a report at once, though all else that waits is due much later', async () => {
    const reported: string[] = [];
    await using test = start({
      deliver: async ({ envelope, nextHop }) => {
        if (nextHop.key === 'later.example') return [{ kind: 'deferred', status: '4.2.1', at: 0 }];
        if (nextHop.key === 'never.example') return [{ kind: 'failed', status: '5.1.1', at: 0 }];
        reported.push(`${envelope.reversePath}>${nextHop.key}`);
        return [delivered];
      },
    });
    const later = await test.receive('u@later.example');
    await expect.poll(async () => (await test.store.get(later))?.state.recipients[0]?.attempts).toBe(1);
    await expect.poll(() => test.scheduler.size).toBe(0);
    await test.receive('u@never.example');
    await expect.poll(() => reported).toEqual(['>example.org']);
  });

  it('ends running attempts at the end of the grace, and keeps all that was not delivered', async () => {
    const { jobs, deliver } = gate();
    await using test = start({ deliver });
    for (let count = 0; count < 5; count += 1) await test.receive('u@slow.example');
    await expect.poll(() => jobs.length).toBe(2);
    await test.scheduler.stop(10);
    expect(jobs).toHaveLength(2);
    expect(test.store.count()).toBe(5);
    const claimed = await test.store.claim({ now: Date.now(), limit: 10, until: Number.POSITIVE_INFINITY });
    expect(claimed).toHaveLength(3);
  });

  it('is over in time even when an attempt heeds no end', async () => {
    const test = start({ deliver: () => new Promise(() => {}) });
    await test.receive('u@slow.example');
    await test.scheduler.stop(0, 10);
    expect(test.store.count()).toBe(1);
    expect(test.log.lines.map(({ text }) => text)).toEqual(['attempts do not end; they are left']);
    await test.store.close();
  });

  it('tries who was deferred no sooner because another found no place', async () => {
    const { jobs, deliver } = gate();
    const tried: string[] = [];
    await using test = start({
      limits: { concurrency: 1, waiting: 0 },
      deliver: (job) => {
        if (job.nextHop.key === 'slow.example') return deliver(job);
        tried.push(job.recipients[0]?.address ?? '');
        return Promise.resolve([{ kind: 'deferred', status: '4.2.1', at: 0 }]);
      },
    });
    await test.receive('first@slow.example');
    await expect.poll(() => jobs.length).toBe(1);
    await test.receive('crowded@slow.example', 'deferred@other.example');
    await expect.poll(() => test.scheduler.size).toBe(1);
    jobs[0]?.end(delivered);
    await expect.poll(() => test.scheduler.size).toBe(0);
    test.pass(10_000);
    await expect.poll(() => jobs.length).toBe(2);
    expect(jobs[1]?.job.recipients.map(({ address }) => address)).toEqual(['crowded@slow.example']);
    jobs[1]?.end(delivered);
    await expect.poll(() => test.scheduler.size).toBe(0);
    expect(tried).toEqual(['deferred@other.example']);
    test.pass(31 * 60_000);
    await expect.poll(() => tried.length).toBe(2);
  });
});
