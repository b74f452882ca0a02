import { certifierOf } from '@posthorn/smtp/mtqp/tracking-secret';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/queue/envelope.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { QueueStore, RecipientState } from '../../src/queue/queue-store.ts';
import { createMemoryBackend } from '../../src/spool/memory-backend.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { type SpoolBounds, SpoolStore } from '../../src/spool/spool-store.ts';
import { commitMessage, deferredState, sampleText } from './spool-samples.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const START = 1_700_000_000_000;
const HOUR = 3_600_000;
const secret = Buffer.alloc(18, 7);
const envelopeId = 'a1@mail.example.org';
const query = { envelopeId, secret };

const outcome: Outcome = {
  kind: 'delivered',
  status: '2.1.5',
  at: START + 5,
  remoteHost: 'mx.b.example',
  handover: 'with-dsn',
  tracked: true,
  reply: { code: 250, lines: ['a long story about the queue of another host'] },
};
const delivered: RecipientState = { kind: 'delivered', attempts: 1, last: outcome };

function tracked(keptUntil = START + HOUR, change: Partial<Envelope> = {}): Partial<Envelope> {
  return { envelopeId, tracking: { certifier: certifierOf(secret), until: keptUntil, keptUntil }, ...change };
}

interface Kind {
  readonly name: string;
  open(now: () => number, bounds?: SpoolBounds): Promise<QueueStore>;
}

const kinds: readonly Kind[] = [
  { name: 'in memory', open: async (now, bounds) => new SpoolStore(createMemoryBackend(1e9), now, bounds) },
  { name: 'on LMDB', open: (now, bounds) => openSpool({ path: temporaryDirectory(), now, ...bounds }) },
];

describe.each(kinds)('tracks $name', ({ open }) => {
  let time: number;
  let store: QueueStore;

  beforeEach(async () => {
    time = START;
    store = await open(() => time);
  });

  afterEach(() => store.close());

  /** Commits a message that is tracked, and takes it out of the queue. */
  async function pass(keptUntil = START + HOUR, change: Partial<Envelope> = {}): Promise<void> {
    const { id, envelope } = await commitMessage(store, sampleText(10), tracked(keptUntil, change));
    await store.settle(id, { state: 'done', reports: [], tracked: { envelope, recipients: [delivered] } });
  }

  it('EXT-MTRK-3 know a message from its commit, in each state of the queue, and behind it', async () => {
    const { id, envelope } = await commitMessage(store, sampleText(300_000), tracked());
    expect(store.tracks.find(query)).toMatchObject([
      { isQueued: true, recipients: [{ kind: 'pending', attempts: 0 }] },
    ]);
    await store.settle(id, { state: deferredState(START + 1000), reports: [] });
    const [waiting] = store.tracks.find(query);
    expect(waiting).toMatchObject({ isQueued: true, recipients: [{ attempts: 1, last: { status: '4.4.1' } }] });
    await store.settle(id, { state: 'done', reports: [], tracked: { envelope, recipients: [delivered] } });
    const [known] = store.tracks.find(query);
    const { reply: _, ...short } = outcome;
    expect(known).toEqual({
      envelope: {
        id,
        envelopeId,
        reversePath: 'sender@a.example',
        receivedAt: START,
        recipients: [{ address: 'rcpt@b.example' }],
      },
      recipients: [{ ...delivered, last: short }],
      isQueued: false,
    });
    expect(store.count()).toBe(0);
    expect(store.tracks.count()).toBe(1);
  });

  it('EXT-MTQP-3 tell nothing for another ENVID or another secret', async () => {
    await pass();
    expect(store.tracks.find(query)).toHaveLength(1);
    expect(store.tracks.find({ envelopeId: `<${envelopeId}>`, secret })).toHaveLength(1);
    expect(store.tracks.find({ envelopeId, secret: Buffer.alloc(18, 8) })).toEqual([]);
    expect(store.tracks.find({ envelopeId: 'a2@mail.example.org', secret })).toEqual([]);
  });

  it('tell of each time that a message came by, but not of endlessly many', async () => {
    for (let times = 0; times < 25; times += 1) await pass();
    expect(store.tracks.find(query)).toHaveLength(20);
  });

  it('EXT-MTRK-3 forget a message at its time, but not while it is in the queue', async () => {
    await pass(START + HOUR);
    await pass(START + 2 * HOUR);
    const { id, envelope } = await commitMessage(store, sampleText(10), tracked(START + 60_000));
    const ids = () => store.tracks.find(query).map(({ isQueued }) => isQueued);
    time = START + HOUR - 1;
    await store.tracks.sweep(time);
    expect(ids().sort()).toEqual([false, false, true]);
    time = START + HOUR + 1;
    await store.tracks.sweep(time);
    expect(ids().sort()).toEqual([false, true]);
    time = START + 24 * HOUR;
    while (await store.tracks.sweep(time));
    expect(ids()).toEqual([true]);
    await store.settle(id, { state: 'done', reports: [], tracked: { envelope, recipients: [delivered] } });
    expect(ids()).toEqual([]);
    time += 2 * HOUR;
    await store.tracks.sweep(time);
    expect(store.tracks.count()).toBe(0);
  });

  it('sweep a little at a time', async () => {
    for (let times = 0; times < 120; times += 1) await pass(START + 1);
    expect(await store.tracks.sweep(START + HOUR)).toBe(true);
    expect(store.tracks.count()).toBe(20);
    expect(await store.tracks.sweep(START + HOUR)).toBe(false);
    expect(store.tracks.count()).toBe(0);
  });

  it('make room for the next by the one whose time ends first, and take none from the queue', async () => {
    await store.close();
    store = await open(() => time, { mostTracks: 3 });
    await pass(START + 3 * HOUR, { envelopeId: 'late@x' });
    await pass(START + HOUR, { envelopeId: 'soon@x' });
    await commitMessage(store, sampleText(10), tracked(START + 1, { envelopeId: 'queued@x' }));
    await pass(START + 2 * HOUR, { envelopeId: 'new@x' });
    const knows = (id: string) => store.tracks.find({ envelopeId: id, secret }).length === 1;
    expect(['late@x', 'soon@x', 'queued@x', 'new@x'].map(knows)).toEqual([true, false, true, true]);
    expect(store.tracks.count()).toBe(3);
  });

  it('know nothing of a message that was deleted, nor of one that nobody tracks', async () => {
    const { id } = await commitMessage(store, sampleText(10), tracked());
    await store.release(id);
    expect(await store.change(id, () => ({ state: 'done', reports: [] }))).toBe(true);
    expect(store.tracks.find(query)).toEqual([]);
    await store.tracks.sweep(START + 2 * HOUR);
    await commitMessage(store, sampleText(10), { envelopeId });
    expect(store.tracks.count()).toBe(0);
  });

  it('keep nothing of a draft that is not committed', async () => {
    const draft = store.draft();
    await draft.write(sampleText(10));
    await draft.discard();
    expect(store.tracks.count()).toBe(0);
  });
});

it('EXT-MTRK-3 tracks on LMDB are there when the spool is opened again', async () => {
  const path = temporaryDirectory();
  const now = () => START;
  const first = await openSpool({ path, now });
  const { id, envelope } = await commitMessage(first, sampleText(10), tracked());
  await first.settle(id, { state: 'done', reports: [], tracked: { envelope, recipients: [delivered] } });
  await commitMessage(first, sampleText(10), tracked());
  await first.close();
  const again = await openSpool({ path, now });
  expect(again.tracks.find(query).map(({ isQueued }) => isQueued)).toEqual([false, true]);
  await again.close();
});
