import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { listIdsOf } from '@posthorn/smtp/message/list-fields';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createListAgent } from '../../src/agents/list.ts';
import type { MailingList } from '../../src/agents/mailing-list.ts';
import type { DeliveryJob } from '../../src/queue/delivery-agent.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { QueuedMessage, QueueStore } from '../../src/queue/queue-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { commitMessage, listAll, readContent } from '../spool/spool-samples.ts';
import { contentThatBreaks } from './delivery-job.ts';

const now = () => 1_700_000_000_000;
const head = 'From: a@far.example\r\nSubject: x\r\n\r\n';

describe('the agent of mailing lists', () => {
  let path: string;
  let store: QueueStore;

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'list-'));
    store = await openSpool({ path, now });
  });

  afterEach(async () => {
    await store.close();
    rmSync(path, { recursive: true, force: true });
  });

  const members = (count: number) => Array.from({ length: count }, (_, index) => `m${index}@d${index % 300}.example`);

  function agentFor(list: Partial<MailingList> = {}) {
    const whole: MailingList = {
      address: 'news@example.org',
      owner: 'owner-news@example.org',
      verp: false,
      fields: { id: 'news.example.org' },
      members: () => members(3),
      mayPost: () => true,
      ...list,
    };
    return createListAgent({
      hostname: 'mx.example.org',
      now,
      newId: () => store.newId(),
      draft: () => store.draft(),
      random: randomBytes,
      find: (address) => (address === whole.address ? whole : undefined),
      expand: (addresses) => addresses.map((address) => ({ address })),
    });
  }

  /** Commits a message for the list and lets the agent have it. */
  async function post(text: Buffer, list: Partial<MailingList> = {}, signal = new AbortController().signal) {
    const recipients = [{ address: 'news@example.org' }];
    const { id, envelope, content } = await commitMessage(store, text, { recipients });
    const nextHop = { kind: 'list', key: 'list:news@example.org' } as const;
    const job: DeliveryJob = { envelope, recipients, content, nextHop, signal };
    const [outcome] = await agentFor(list).deliver(job);
    return { id, job, outcome: outcome as Outcome };
  }

  const settle = (id: string, { causes = [] }: Outcome) => store.settle(id, { state: 'done', reports: causes });
  const addressesOf = (messages: readonly QueuedMessage[]) =>
    messages.flatMap(({ envelope }) => envelope.recipients.map(({ address }) => address)).sort();

  it('LOC-LS-1 writes to ten thousand members in at most a hundred copies, each member once', async () => {
    const { id, outcome } = await post(Buffer.from(`${head}hello\r\n`), { members: () => members(10_000) });
    expect(outcome).toMatchObject({ kind: 'delivered', handover: 'final' });
    expect(outcome.causes).toHaveLength(100);
    await settle(id, outcome);
    const copies = await listAll(store.list({ limit: 1000 }));
    expect(addressesOf(copies)).toEqual(members(10_000).sort());
    expect(new Set(copies.map(({ envelope }) => envelope.envelopeId)).size).toBe(100);
  });

  it('LOC-LS-1 holds no more than a few megabytes of copies of a larger text, and never less than a hundred members each', async () => {
    const text = Buffer.from(`${head}${'x'.repeat(62)}\r\n`.padEnd(200_000, `${'y'.repeat(62)}\r\n`));
    const { outcome } = await post(text, { members: () => members(10_000) });
    const octets = (outcome.causes ?? []).reduce((sum, { envelope }) => sum + envelope.size, 0);
    expect(octets).toBeLessThan(5 * 1024 * 1024);
    const few = await post(text, { members: () => members(150) });
    expect(few.outcome.causes).toHaveLength(2);
  });

  it('LOC-LS-1 keeps a text that is too large for the memory once, as a draft of the store', async () => {
    const text = Buffer.concat([Buffer.from(head), Buffer.alloc(3_000_000, 'z\r\n')]);
    const { id, outcome } = await post(text, { members: () => members(5000) });
    expect(outcome.causes).toHaveLength(1);
    expect(Buffer.isBuffer(outcome.causes?.[0]?.content)).toBe(false);
    await settle(id, outcome);
    const [copy] = await listAll(store.list());
    expect(copy?.envelope.recipients).toHaveLength(5000);
    const stored = await readContent(await store.content(copy?.envelope.id as string));
    expect(stored.length).toBe(copy?.envelope.size);
    expect(stored.subarray(-3_000_000).equals(text.subarray(-3_000_000))).toBe(true);
    expect(listIdsOf(stored.subarray(0, 2000))).toEqual(['news.example.org']);
    expect(stored.subarray(0, 2000).toString()).toContain('\r\nSubject: x\r\n\r\nz\r\n');
  });

  it.each([
    ['in hand', 1000],
    ['as a draft', 1_000_000],
  ])(
    'LOC-LS-1 loses and doubles nobody when the process ends before the copies are committed: text %s',
    async (_, size) => {
      const text = Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'z\r\n')]);
      const { id } = await post(text);
      // What the process had in hand is gone with it.
      await store.close();
      store = await openSpool({ path, now });
      expect((await listAll(store.list())).map(({ envelope }) => envelope.id)).toEqual([id]);
      const [claimed] = await store.claim({ now: now() + 1000, limit: 10, until: now() + 2000 });
      const { envelope } = claimed as QueuedMessage;
      const job: DeliveryJob = {
        envelope,
        recipients: envelope.recipients,
        content: await store.content(id),
        nextHop: { kind: 'list', key: 'list:news@example.org' },
        signal: new AbortController().signal,
      };
      const [outcome] = await agentFor().deliver(job);
      await settle(id, outcome as Outcome);
      await store.close();
      store = await openSpool({ path, now });
      const copies = await listAll(store.list());
      expect(addressesOf(copies)).toEqual(members(3).sort());
      expect(copies.map(({ envelope: copy }) => copy.reversePath)).toEqual(['owner-news@example.org']);
    },
  );

  it('EXT-MTRK-4 LOC-LS-1 passes on neither tracking nor whom the sender meant, but how secret and urgent the mail is', async () => {
    const recipients = [
      { address: 'news@example.org', rrvs: { since: 1, fallback: 'R' as const }, notify: ['SUCCESS' as const] },
    ];
    const { envelope, content } = await commitMessage(store, Buffer.from(`${head}x\r\n`), {
      recipients,
      envelopeId: 'mine',
      ret: 'FULL',
      requireTls: true,
      priority: 3,
      tracking: { certifier: 'abc', until: now() + 1000, keptUntil: now() + 2000 },
      deliverBy: { mode: 'R', until: now() + 1000 },
    });
    const nextHop = { kind: 'list', key: 'list:news@example.org' } as const;
    const signal = new AbortController().signal;
    const [outcome] = await agentFor().deliver({ envelope, recipients, content, nextHop, signal });
    const copy = outcome?.causes?.[0]?.envelope;
    expect(copy).toMatchObject({ ret: 'HDRS', requireTls: true, priority: 3, reversePath: 'owner-news@example.org' });
    expect(copy?.envelopeId).not.toBe('mine');
    expect(Object.keys(copy ?? {})).not.toEqual(expect.arrayContaining(['tracking']));
    expect(Object.keys(copy ?? {})).not.toEqual(expect.arrayContaining(['deliverBy']));
    expect(copy?.recipients[0]).toEqual({
      address: 'm0@d0.example',
      notify: ['FAILURE'],
      originalRecipient: 'rfc822;m0@d0.example',
    });
  });

  it('waits when it is broken off', async () => {
    const text = Buffer.concat([Buffer.from(head), Buffer.alloc(600_000, 'z\r\n')]);
    const { outcome } = await post(text, {}, AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.3.2' });
    expect(outcome.causes).toBeUndefined();
  });

  it('waits while the text cannot be read, and fails for a list that is gone', async () => {
    const { job } = await post(Buffer.from(`${head}x\r\n`));
    const content = contentThatBreaks(head, new Failure('storage', 'gone'));
    expect(await agentFor().deliver({ ...job, content })).toMatchObject([{ kind: 'deferred', status: '4.2.4' }]);
    expect(await agentFor({ address: 'other@example.org' }).deliver(job)).toMatchObject([
      { kind: 'failed', status: '5.1.1' },
    ]);
  });

  it('CLI-LOOP-1 fails what came through the list before, by its identifier or its mark', async () => {
    for (const mark of ['List-Id: News <NEWS.example.org>', 'Delivered-To: News@example.org']) {
      const { outcome } = await post(Buffer.from(`${mark}\r\n${head}x\r\n`));
      expect(outcome).toMatchObject({ kind: 'failed', status: '5.4.6' });
    }
  });

  it('LOC-LS-1 a member whose address is UTF-8 makes its copy need SMTPUTF8', async () => {
    const { outcome } = await post(Buffer.from(`${head}x\r\n`), { members: () => ['jörg@b.example'], verp: true });
    const copy = outcome.causes?.[0]?.envelope;
    expect(copy?.smtputf8).toBe(true);
    expect(copy?.recipients).toEqual([
      {
        address: 'jörg@b.example',
        notify: ['FAILURE'],
        originalRecipient: 'utf-8;jörg@b.example',
        reversePath: 'owner-news+jörg=b.example@example.org',
      },
    ]);
  });
});
