import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import {
  commitMessage,
  deferredState,
  listAll,
  listIds,
  readContent,
  sampleEnvelope,
  sampleMessage,
  sampleText,
} from './spool-samples.ts';

const MEBIBYTE = 1024 * 1024;
const START = 1_700_000_000_000;

/** How the suite opens a store of the kind it is run over. */
export type OpenStore = (options: { now: () => number; capacity?: number }) => Promise<QueueStore>;

async function writtenDraft(store: QueueStore, text: Buffer) {
  const draft = store.draft();
  for (let start = 0; start < text.length; start += 60_000) await draft.write(text.subarray(start, start + 60_000));
  return { envelope: sampleEnvelope(draft.id, text.length), content: draft };
}

/** What every store of a queue must do, whatever it is made of. */
export function queueStoreSuite(name: string, open: OpenStore): void {
  describe(`${name} as a queue store`, () => {
    let time: number;
    let store: QueueStore;
    const now = () => time;
    const claim = async (limit = 100, until = time + 60_000) =>
      (await store.claim({ now: time, limit, until })).map(({ envelope }) => envelope.id);

    beforeEach(async () => {
      time = START;
      store = await open({ now });
    });

    afterEach(async () => {
      await store.close();
    });

    describe('ids', () => {
      it('are unique, of letters and digits only, and sort by time', () => {
        const ids: string[] = [];
        for (let i = 0; i < 50_000; i++) {
          if (i % 1000 === 0) time++;
          ids.push(store.newId());
        }
        expect(new Set(ids).size).toBe(ids.length);
        expect([...ids].sort()).toEqual(ids);
        expect(ids.every((id) => /^[a-z0-9]+$/.test(id))).toBe(true);
      });

      it('stay unique when the clock is set back', () => {
        const ids = new Set<string>();
        for (let run = 0; run < 20; run++) {
          time = START;
          for (let i = 0; i < 500; i++, time += 10) ids.add(store.newId());
        }
        expect(ids.size).toBe(20 * 500);
      });
    });

    describe('a draft', () => {
      it.each([0, 1, 4096, 256 * 1024, 256 * 1024 + 1, 512 * 1024, 3 * MEBIBYTE + 17])(
        'of %i octets is in the queue with envelope and content after its commit',
        async (size) => {
          const text = sampleText(size);
          const { id, envelope, content } = await commitMessage(store, text);
          expect(content.size).toBe(size);
          expect((await readContent(content)).equals(text)).toBe(true);
          const stored = await store.content(id);
          expect(stored.size).toBe(size);
          expect((await readContent(stored)).equals(text)).toBe(true);
          expect((await readContent(stored)).equals(text)).toBe(true);
          expect((await store.get(id))?.envelope).toEqual(envelope);
          expect(store.count()).toBe(1);
        },
      );

      it('keeps all that an envelope says', async () => {
        const more = {
          reversePath: '',
          recipients: [
            { address: 'jörg@bücher.example', originalRecipient: 'utf-8;jörg@bücher.example', notify: [] },
            { address: 'x@b.example', rrvs: { since: START - 5, fallback: 'C' } },
          ],
          body: 'BINARYMIME',
          smtputf8: true,
          ret: 'HDRS',
          envelopeId: 'QQ314159',
          deliverBy: { until: START + 5, mode: 'N', trace: true },
          heldUntil: START + 3,
          hold: { for: 3 },
          priority: -4,
          solicit: ['org.example:ADV'],
          tracking: { certifier: 'c'.repeat(27), until: START + 9, keptUntil: START + 9 },
          requireTls: true,
          tlsOptional: true,
          submitter: 'e+mc2@example.org',
          origin: { clientAddress: 'local', login: 'alice' },
        } as const;
        const { id, envelope } = await commitMessage(store, sampleText(10), more);
        const message = await store.get(id);
        expect(message?.envelope).toEqual(envelope);
        expect(message?.state).toMatchObject({ held: false });
        expect(message?.state.recipients).toEqual([
          { kind: 'pending', attempts: 0 },
          { kind: 'pending', attempts: 0 },
        ]);
      });

      it('gives small content in hand and large content in pieces of at most 256 KiB', async () => {
        const small = await commitMessage(store, sampleText(256 * 1024));
        expect(small.content.bytes?.length).toBe(256 * 1024);
        expect((await store.content(small.id)).bytes?.length).toBe(256 * 1024);
        const large = await commitMessage(store, sampleText(MEBIBYTE));
        expect(large.content.bytes).toBeUndefined();
        for await (const piece of (await store.content(large.id)).stream())
          expect(piece.length).toBeLessThanOrEqual(256 * 1024);
      });

      it('takes what one call writes at once, however large', async () => {
        const text = sampleText(2 * MEBIBYTE + 5);
        const draft = store.draft();
        await draft.write(text);
        await draft.commit(sampleEnvelope(draft.id, text.length));
        expect((await readContent(await store.content(draft.id))).equals(text)).toBe(true);
      });

      it.each([0, 5, 256 * 1024, 256 * 1024 + 1, MEBIBYTE])(
        'of %d octets has in front what came to it last',
        async (size) => {
          const text = sampleText(size);
          const { content: draft } = await writtenDraft(store, text);
          draft.prepend(Buffer.from('two'));
          draft.prepend(Buffer.from('one'));
          const whole = Buffer.concat([Buffer.from('onetwo'), text]);
          const content = await draft.commit(sampleEnvelope(draft.id, whole.length));
          expect(content.size).toBe(whole.length);
          expect((await readContent(content)).equals(whole)).toBe(true);
          expect((await readContent(await store.content(draft.id))).equals(whole)).toBe(true);
          for await (const piece of content.stream()) expect(piece.length).toBeLessThanOrEqual(256 * 1024);
        },
      );

      it.each([0, 100, 256 * 1024, 700_000])(
        'can be read before its commit, as often as wanted: %i octets',
        async (size) => {
          const text = sampleText(size);
          const draft = store.draft();
          for (let at = 0; at < size; at += 10_000) await draft.write(text.subarray(at, at + 10_000));
          draft.prepend(Buffer.from('front'));
          const whole = Buffer.concat([Buffer.from('front'), text]);
          for (let turn = 0; turn < 2; turn += 1) {
            const pieces: Buffer[] = [];
            for await (const piece of draft.read()) pieces.push(piece);
            expect(Buffer.concat(pieces).equals(whole)).toBe(true);
            expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024);
          }
          expect(draft.isInHand).toBe(size <= 256 * 1024);
          const content = await draft.commit(sampleEnvelope(draft.id, whole.length));
          expect((await readContent(content)).equals(whole)).toBe(true);
        },
      );

      it('makes the writer wait when more than a part waits for the store', () => {
        const draft = store.draft();
        const waits: unknown[] = [];
        for (let i = 0; i < 20; i++) waits.push(draft.write(sampleText(64 * 1024)));
        expect(waits.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
        expect(waits.some((wait) => wait instanceof Promise)).toBe(true);
        return draft.discard();
      });

      it('DSN-13 stores reports that a message causes as it comes with it, or not at all', async () => {
        const draft = store.draft();
        await draft.write(sampleText(300 * 1024));
        const report = sampleMessage(store, Buffer.from('report'), { reversePath: '' });
        await draft.commit(sampleEnvelope(draft.id, 300 * 1024), [report]);
        const claimed = await store.claim({ now: Number.MAX_SAFE_INTEGER, limit: 10, until: Number.MAX_SAFE_INTEGER });
        expect(claimed.map(({ envelope }) => envelope.id)).toEqual([report.envelope.id]);
        const refused = store.draft();
        const faulty = { ...report, envelope: { ...report.envelope, id: 'no id' } };
        await expect(refused.commit(sampleEnvelope(refused.id, 0), [faulty])).rejects.toMatchObject({
          kind: 'invalid',
        });
        expect(await store.get(refused.id)).toBeUndefined();
      });

      it('takes an id that was made before', async () => {
        const id = store.newId();
        const draft = store.draft(id);
        await draft.commit(sampleEnvelope(id, 0));
        expect(draft.id).toBe(id);
        expect((await store.get(id))?.envelope.id).toBe(id);
      });

      it('refuses an id that is none', () => {
        expect(() => store.draft('../../etc/passwd')).toThrow(expect.objectContaining({ kind: 'invalid' }));
      });

      it.each([100, MEBIBYTE])('of %i octets leaves nothing when it is discarded', async (size) => {
        const draft = store.draft();
        await draft.write(sampleText(size));
        await draft.discard();
        expect(store.count()).toBe(0);
        expect(await store.get(draft.id)).toBeUndefined();
        await expect(store.content(draft.id)).rejects.toMatchObject({ kind: 'storage' });
      });

      it('is not there before its commit, and stays when it is discarded after it', async () => {
        const draft = store.draft();
        await draft.write(sampleText(MEBIBYTE));
        expect(await store.get(draft.id)).toBeUndefined();
        expect(await listAll(store.list())).toEqual([]);
        await draft.commit(sampleEnvelope(draft.id, MEBIBYTE));
        await draft.discard();
        expect(await store.get(draft.id)).toBeDefined();
      });

      it('is committed once, and with the envelope that is its own', async () => {
        const draft = store.draft();
        await draft.write(sampleText(5));
        await expect(draft.commit(sampleEnvelope(draft.id, 6))).rejects.toThrow();
        await expect(draft.commit(sampleEnvelope(store.newId(), 5))).rejects.toThrow();
        await draft.commit(sampleEnvelope(draft.id, 5));
        await expect(draft.commit(sampleEnvelope(draft.id, 5))).rejects.toThrow();
        expect(() => draft.write(sampleText(1))).toThrow();
        expect(store.count()).toBe(1);
      });
    });

    describe('leases', () => {
      it('keep a committed message from everybody until it is released', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        time += 1_000_000;
        expect(await claim()).toEqual([]);
        expect(store.nextDue()).toBeUndefined();
        await store.release(id);
        expect(store.nextDue()).toBeLessThanOrEqual(time);
        expect(await claim()).toEqual([id]);
        expect(await claim()).toEqual([]);
        expect(store.nextDue()).toBeUndefined();
      });

      it('end at their time, unless they are renewed', async () => {
        await store.add([sampleMessage(store, sampleText(1)), sampleMessage(store, sampleText(2))]);
        const [first, second] = (await claim(10, START + 1000)) as [string, string];
        store.renew(second, START + 5000);
        time = START + 999;
        expect(await claim()).toEqual([]);
        time = START + 1000;
        expect(await claim(10, START + 9000)).toEqual([first]);
        time = START + 4999;
        expect(await claim()).toEqual([]);
        time = START + 5000;
        expect(await claim(10, START + 9000)).toEqual([second]);
      });

      it('give a message back with another time', async () => {
        await store.add([sampleMessage(store, sampleText(9))]);
        const [id] = (await claim()) as [string];
        await store.release(id, time + 5000);
        expect(store.nextDue()).toBe(time + 5000);
        expect(await claim()).toEqual([]);
        time += 5000;
        expect(await claim()).toEqual([id]);
        expect((await readContent(await store.content(id))).equals(sampleText(9))).toBe(true);
      });

      it('are not taken by looking', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        await store.release(id);
        await store.get(id);
        await store.content(id);
        await listAll(store.list());
        expect(await claim()).toEqual([id]);
      });

      it('are given to the oldest due first, and to no more than are wanted', async () => {
        const ids: string[] = [];
        for (let i = 0; i < 10; i++) {
          const { id } = await commitMessage(store, sampleText(10));
          await store.settle(id, { state: deferredState(START + 1000 - i * 100), reports: [] });
          ids.unshift(id);
        }
        time = START + 500;
        expect(await claim(2)).toEqual(ids.slice(0, 2));
        expect(await claim(0)).toEqual([]);
        expect(await claim(100)).toEqual(ids.slice(2, 5));
        expect(store.nextDue()).toBe(START + 600);
        await store.release(ids[1] as string);
        expect(store.nextDue()).toBe(START + 200);
        expect(await claim()).toEqual([ids[1]]);
        time = START + 1000;
        expect(await claim()).toEqual(ids.slice(5));
      });

      it('are given to one only of many who claim at once', async () => {
        await store.add(Array.from({ length: 50 }, () => sampleMessage(store, sampleText(3))));
        const claims = await Promise.all(Array.from({ length: 10 }, () => claim(7)));
        const ids = claims.flat();
        expect(ids.length).toBe(50);
        expect(new Set(ids).size).toBe(50);
      });
    });

    describe('a settlement', () => {
      it.each([10, MEBIBYTE])('done takes a message of %i octets away, with all that belongs to it', async (size) => {
        const { id } = await commitMessage(store, sampleText(size));
        await store.settle(id, { state: 'done', reports: [] });
        expect(store.count()).toBe(0);
        expect(await store.get(id)).toBeUndefined();
        await expect(store.content(id)).rejects.toMatchObject({ kind: 'storage' });
        await store.release(id);
        time += 1_000_000;
        expect(await claim()).toEqual([]);
        expect(store.nextDue()).toBeUndefined();
      });

      it.each([0, 10, MEBIBYTE])(
        'keeps the state and the content of %i octets of what is tried again',
        async (size) => {
          const { id, envelope } = await commitMessage(store, sampleText(size));
          for (let attempt = 1; attempt <= 3; attempt++) {
            const state = deferredState(time + 1000, { delayReportedAt: time });
            await store.settle(id, { state, reports: [] });
            expect(await store.get(id)).toEqual({ envelope, state });
            expect((await readContent(await store.content(id))).equals(sampleText(size))).toBe(true);
            expect(store.count()).toBe(1);
            expect(store.nextDue()).toBe(time + 1000);
            time += 1000;
            expect(await store.claim({ now: time, limit: 5, until: time + 10 })).toEqual([{ envelope, state }]);
          }
          await store.settle(id, { state: 'done', reports: [] });
          expect(store.count()).toBe(0);
          expect(store.nextDue()).toBeUndefined();
        },
      );

      it('brings its reports along, due at once', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        const reports = [
          sampleMessage(store, sampleText(20), { reversePath: '' }),
          sampleMessage(store, sampleText(MEBIBYTE)),
        ];
        await store.settle(id, { state: 'done', reports });
        expect(await store.get(id)).toBeUndefined();
        expect(await claim()).toEqual(reports.map(({ envelope }) => envelope.id));
        for (const { envelope, content } of reports) {
          expect((await store.get(envelope.id))?.envelope).toEqual(envelope);
          expect((await readContent(await store.content(envelope.id))).equals(content)).toBe(true);
        }
      });

      it('of a message that is gone is refused, reports and all, unless it has nothing to say', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        await store.settle(id, { state: 'done', reports: [] });
        await store.settle(id, { state: 'done', reports: [] });
        const reports = [sampleMessage(store, sampleText(5))];
        await expect(store.settle(id, { state: 'done', reports })).rejects.toMatchObject({ kind: 'storage' });
        const state = deferredState(time);
        await expect(store.settle(id, { state, reports: [] })).rejects.toMatchObject({ kind: 'storage' });
        expect(store.count()).toBe(0);
      });
    });

    describe('a record', () => {
      it('leaves a message on hold when the lease ends: nobody claims it', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        await store.record(id, { state: deferredState(time, { held: true }), reports: [] });
        await store.release(id);
        time += 1000;
        expect(await claim()).toEqual([]);
        expect((await store.get(id))?.state.held).toBe(true);
      });

      it('is kept like a settlement, while the lease goes on', async () => {
        for (const size of [10, MEBIBYTE]) {
          const { id, envelope } = await commitMessage(store, sampleText(size));
          const report = sampleMessage(store, sampleText(20), { reversePath: '' });
          const state = deferredState(time);
          await store.record(id, { state, reports: [report] });
          expect(await store.get(id)).toEqual({ envelope, state });
          time += 1000;
          expect(await claim()).toEqual([report.envelope.id]);
          await store.record(id, { state: { ...state, held: true }, reports: [] });
          await store.record(id, { state: { ...state, due: time + 7 }, reports: [] });
          expect((await readContent(await store.content(id))).equals(sampleText(size))).toBe(true);
          expect(await store.change(id, () => ({ state: 'done', reports: [] }))).toBe(false);
          expect(store.nextDue()).toBeUndefined();
          await store.settle(id, { state: 'done', reports: [] });
          expect(await store.get(id)).toBeUndefined();
          expect(store.nextDue()).toBeUndefined();
        }
      });

      it('leaves the lease its end, or the one that it is given meanwhile', async () => {
        await store.add([sampleMessage(store, sampleText(1)), sampleMessage(store, sampleText(2))]);
        const [first, second] = (await claim(10, time + 1000)) as [string, string];
        const recorded = [first, second].map((id) => store.record(id, { state: deferredState(START), reports: [] }));
        store.renew(second, time + 5000);
        time += 2000;
        expect(await claim()).toEqual([]);
        await Promise.all(recorded);
        expect(await claim(10, time + 9000)).toEqual([first]);
        time += 3000;
        expect(await claim()).toEqual([second]);
      });

      it('is refused without a lease', async () => {
        await store.add([sampleMessage(store, sampleText(1))]);
        const [id] = (await listIds(store.list())) as [string];
        const state = deferredState(time);
        await expect(store.record(id, { state, reports: [] })).rejects.toMatchObject({ kind: 'storage' });
        await expect(store.record(store.newId(), { state, reports: [] })).rejects.toMatchObject({ kind: 'storage' });
      });
    });

    describe('a change from outside', () => {
      const hold = () => ({ state: deferredState(START, { held: true }), reports: [] });

      it('holds a message back and lets it go again', async () => {
        await store.add([sampleMessage(store, sampleText(10))]);
        const [id] = (await listIds(store.list())) as [string];
        expect(await store.change(id, ({ state }) => ({ state: { ...state, held: true }, reports: [] }))).toBe(true);
        expect((await store.get(id))?.state.held).toBe(true);
        expect(store.nextDue()).toBeUndefined();
        time += 1_000_000;
        expect(await claim()).toEqual([]);
        const due = time + 7;
        expect(await store.change(id, ({ state }) => ({ state: { ...state, held: false, due }, reports: [] }))).toBe(
          true,
        );
        expect(store.nextDue()).toBe(due);
        time = due;
        expect(await claim()).toEqual([id]);
      });

      it('moves the time of a message, both ways', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        await store.settle(id, { state: deferredState(time + 5000), reports: [] });
        expect(await claim()).toEqual([]);
        expect(await store.change(id, ({ state }) => ({ state: { ...state, due: time }, reports: [] }))).toBe(true);
        expect(store.nextDue()).toBe(time);
        await store.change(id, ({ state }) => ({ state: { ...state, due: time + 9000 }, reports: [] }));
        expect(store.nextDue()).toBe(time + 9000);
        expect(await claim()).toEqual([]);
      });

      it('deletes a message, and bounces it with a report', async () => {
        await store.add([sampleMessage(store, sampleText(1)), sampleMessage(store, sampleText(MEBIBYTE))]);
        const [first, second] = (await listIds(store.list())) as [string, string];
        expect(await store.change(first, () => ({ state: 'done', reports: [] }))).toBe(true);
        const report = sampleMessage(store, sampleText(30), { reversePath: '' });
        expect(await store.change(second, () => ({ state: 'done', reports: [report] }))).toBe(true);
        expect(await listIds(store.list())).toEqual([report.envelope.id]);
        expect(await claim()).toEqual([report.envelope.id]);
      });

      it('leaves alone what is leased, and what is gone', async () => {
        const { id } = await commitMessage(store, sampleText(10));
        expect(await store.change(id, hold)).toBe(false);
        await store.release(id);
        await claim(1, time + 1000);
        expect(await store.change(id, hold)).toBe(false);
        time += 1000;
        expect(await store.change(id, hold)).toBe(true);
        expect(await store.change(store.newId(), hold)).toBe(false);
        expect(await store.change('no id at all', hold)).toBe(false);
      });

      it('sees what the change before it has made, and keeps others from the message meanwhile', async () => {
        await store.add([sampleMessage(store, sampleText(1))]);
        const [id] = (await listIds(store.list())) as [string];
        const add = () => store.change(id, ({ state }) => ({ state: { ...state, due: state.due + 1 }, reports: [] }));
        const due = (await store.get(id))?.state.due ?? 0;
        const changes = Array.from({ length: 20 }, add);
        time = due + 1000;
        expect(await claim()).toEqual([]);
        expect(await Promise.all(changes)).toEqual(Array.from({ length: 20 }, () => true));
        expect((await store.get(id))?.state.due).toBe(due + 20);
        expect(await claim()).toEqual([id]);
      });

      it('changes nothing when it throws', async () => {
        await store.add([sampleMessage(store, sampleText(1))]);
        const [id] = (await listIds(store.list())) as [string];
        const before = await store.get(id);
        const fail = () => {
          throw new Error('no');
        };
        await expect(store.change(id, fail)).rejects.toThrow('no');
        expect(await store.get(id)).toEqual(before);
        expect(await claim()).toEqual([id]);
      });
    });

    describe('a listing', () => {
      it('goes through all states in the order of the ids, page by page', async () => {
        const ids: string[] = [];
        for (let i = 0; i < 250; i++) {
          time++;
          const { id } = await commitMessage(store, sampleText(i));
          ids.push(id);
          if (i % 3 === 0) await store.settle(id, { state: deferredState(time + i), reports: [] });
        }
        expect(await listIds(store.list())).toEqual(ids);
        const first = await listIds(store.list({ limit: 100 }));
        expect(first).toEqual(ids.slice(0, 100));
        expect(await listIds(store.list({ limit: 100, after: first.at(-1) as string }))).toEqual(ids.slice(100, 200));
        expect(await listIds(store.list({ after: ids.at(-1) as string }))).toEqual([]);
      });

      it('finds by sender, recipient, domain and whether it is held', async () => {
        const to = (...addresses: string[]) => ({ recipients: addresses.map((address) => ({ address })) });
        const one = (await commitMessage(store, sampleText(1), { reversePath: 'Anna@X.example' })).id;
        const two = (await commitMessage(store, sampleText(1), to('x@one.example', 'y@two.example'))).id;
        const three = (await commitMessage(store, sampleText(1), { ...to('x@ONE.example'), reversePath: '' })).id;
        await store.settle(three, { state: deferredState(time, { held: true }), reports: [] });
        expect(await listIds(store.list({ sender: 'anna@x.example' }))).toEqual([one]);
        expect(await listIds(store.list({ sender: '' }))).toEqual([three]);
        expect(await listIds(store.list({ recipient: 'Y@two.example' }))).toEqual([two]);
        expect(await listIds(store.list({ domain: 'one.example' }))).toEqual([two, three]);
        expect(await listIds(store.list({ held: true }))).toEqual([three]);
        expect(await listIds(store.list({ held: false }))).toEqual([one, two]);
        expect(await listIds(store.list({ domain: 'one.example', held: false, limit: 1 }))).toEqual([two]);
      });

      it('goes on while messages leave and arrive', async () => {
        await store.add(Array.from({ length: 300 }, () => sampleMessage(store, sampleText(2))));
        const seen: string[] = [];
        for await (const { envelope } of store.list()) {
          seen.push(envelope.id);
          await store.change(envelope.id, () => ({ state: 'done', reports: [] }));
        }
        expect(seen.length).toBe(300);
        expect(store.count()).toBe(0);
      });
    });

    describe('messages of our own', () => {
      it('may be drafts, larger than a part, that are committed with the settlement that causes them', async () => {
        const { id } = await commitMessage(store, sampleText(20));
        const texts = [sampleText(MEBIBYTE, 1), sampleText(30, 2)];
        const reports = await Promise.all(texts.map((text) => writtenDraft(store, text)));
        await store.settle(id, { state: 'done', reports });
        expect(await claim()).toEqual(reports.map(({ envelope }) => envelope.id));
        for (const [index, { envelope, content }] of reports.entries()) {
          expect((await readContent(await store.content(envelope.id))).equals(texts[index] as Buffer)).toBe(true);
          await content.discard();
          expect((await store.get(envelope.id))?.envelope).toEqual(envelope);
        }
        expect(store.count()).toBe(2);
      });

      it('may be drafts that are discarded when the settlement fails', async () => {
        const { id } = await commitMessage(store, sampleText(20));
        await store.settle(id, { state: 'done', reports: [] });
        const report = await writtenDraft(store, sampleText(MEBIBYTE));
        await expect(store.settle(id, { state: 'done', reports: [report] })).rejects.toMatchObject({ kind: 'storage' });
        await report.content.discard();
        expect(store.count()).toBe(0);
      });

      it('are left out while another with their key is not over', async () => {
        const send = async (key: string, length: number) => {
          const { id } = await commitMessage(store, sampleText(20));
          const report = { ...sampleMessage(store, sampleText(10)), once: { key, until: time + length } };
          await store.settle(id, { state: 'done', reports: [report] });
          return report.envelope.id;
        };
        const [first, , other] = [await send('a', 1000), await send('a', 1000), await send('b', 1000)];
        expect(await claim()).toEqual([first, other]);
        time += 1000;
        expect(await claim()).toEqual([]);
        const again = await send('a', 1000);
        expect(await claim()).toEqual([again]);
      });

      it('with the same key at the same time are one', async () => {
        const once = { key: 'a', until: time + 1000 };
        const messages = [1, 2, 3].map((seed) => ({ ...sampleMessage(store, sampleText(10, seed)), once }));
        await Promise.all(messages.map((message) => store.add([message])));
        expect(store.count()).toBe(1);
      });

      it('are all there after add, due at once', async () => {
        const messages = [1, 300_000, 0].map((size) => sampleMessage(store, sampleText(size)));
        await store.add(messages);
        expect(await claim()).toEqual(messages.map(({ envelope }) => envelope.id));
        for (const { envelope, content } of messages)
          expect((await readContent(await store.content(envelope.id))).equals(content)).toBe(true);
        await store.add([]);
        expect(store.count()).toBe(3);
      });

      it('are refused with an id that is none, all of them', async () => {
        const messages = [
          sampleMessage(store, sampleText(1)),
          { envelope: sampleEnvelope('x', 0), content: Buffer.alloc(0) },
        ];
        await expect(store.add(messages)).rejects.toMatchObject({ kind: 'invalid' });
        expect(store.count()).toBe(0);
      });
    });

    describe('without room', () => {
      const capacity = 2 * MEBIBYTE;

      beforeEach(async () => {
        await store.close();
        store = await open({ now, capacity });
      });

      async function fill(): Promise<string[]> {
        const ids: string[] = [];
        for (;;) {
          try {
            ids.push((await commitMessage(store, sampleText(100_000))).id);
          } catch (error) {
            expect(error).toMatchObject({ kind: 'full' });
            return ids;
          }
        }
      }

      it('refuses new mail, keeps what it has, and goes on when some of that has left', async () => {
        const ids = await fill();
        expect(ids.length).toBeGreaterThan(5);
        expect(await listIds(store.list())).toEqual(ids);
        await expect(store.add([sampleMessage(store, sampleText(100_000))])).rejects.toMatchObject({ kind: 'full' });
        for (const id of ids.slice(0, 3)) await store.settle(id, { state: 'done', reports: [] });
        const { id } = await commitMessage(store, sampleText(100_000));
        expect(await listIds(store.list())).toEqual([...ids.slice(3), id]);
        expect((await readContent(await store.content(id))).equals(sampleText(100_000))).toBe(true);
      });

      it('still settles, defers and reports', async () => {
        const [first, second, third] = (await fill()) as [string, string, string];
        await store.settle(first, { state: deferredState(time), reports: [] });
        const report = sampleMessage(store, sampleText(50_000), { reversePath: '' });
        await store.settle(second, { state: deferredState(time), reports: [report] });
        await store.release(third);
        expect((await claim()).sort()).toEqual([first, second, third, report.envelope.id].sort());
        expect((await readContent(await store.content(first))).equals(sampleText(100_000))).toBe(true);
      });

      it('refuses a large message by the write that does not fit, leaves nothing of it, and has room for others', async () => {
        const draft = store.draft();
        const writeAll = async () => {
          for (let i = 0; i < 100; i++) await draft.write(sampleText(100_000));
        };
        await expect(writeAll()).rejects.toMatchObject({ kind: 'full' });
        expect(() => draft.write(sampleText(1))).toThrow(expect.objectContaining({ kind: 'full' }));
        await expect(draft.commit(sampleEnvelope(draft.id, 0))).rejects.toThrow();
        await draft.discard();
        expect(store.count()).toBe(0);
        expect(await store.get(draft.id)).toBeUndefined();
        const { id } = await commitMessage(store, sampleText(MEBIBYTE));
        expect(await listIds(store.list())).toEqual([id]);
      });

      it('takes the small of many writers at once, and resolves no commit that it did not keep', async () => {
        const sizes = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 250_000 : 2000));
        const results = await Promise.allSettled(sizes.map((size) => commitMessage(store, sampleText(size))));
        const kept = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : []));
        const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(refused.length).toBeGreaterThan(5);
        for (const reason of refused) expect(reason).toMatchObject({ kind: 'full' });
        expect(await listIds(store.list())).toEqual([...kept].sort());
        const small = results.filter((result, i) => sizes[i] === 2000 && result.status === 'fulfilled');
        expect(small.length).toBe(40);
      });
    });

    it('refuses everything once it is closed', async () => {
      const { id } = await commitMessage(store, sampleText(10));
      const draft = store.draft();
      await draft.write(sampleText(1));
      await store.close();
      await expect(draft.commit(sampleEnvelope(draft.id, 1))).rejects.toMatchObject({ kind: 'storage' });
      await expect(store.add([sampleMessage(store, sampleText(1))])).rejects.toMatchObject({ kind: 'storage' });
      await expect(store.settle(id, { state: 'done', reports: [] })).rejects.toMatchObject({ kind: 'storage' });
      await store.close();
    });

    it('finishes on close what was begun before it', async () => {
      const commits = Array.from({ length: 20 }, () => commitMessage(store, sampleText(100)));
      await Promise.resolve();
      const closing = store.close();
      await Promise.all(commits);
      await closing;
    });
  });
}
