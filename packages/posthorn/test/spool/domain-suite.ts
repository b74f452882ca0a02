import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageState, QueueStore } from '../../src/queue/queue-store.ts';
import type { OpenStore } from './queue-store-suite.ts';
import { commitMessage, deferredState, sampleText } from './spool-samples.ts';

const START = 1_700_000_000_000;
const later = START + 1_000_000;

/** What every store must know of the domains that its messages wait for. */
export function domainSuite(name: string, open: OpenStore): void {
  describe(`${name} as a store that is asked by domain`, () => {
    let store: QueueStore;
    const waitingFor = (domain: string, below = false) => [...store.waitingFor({ domain, below })];
    const take = (id: string, now = START) => store.claimOne(id, { now, until: now + 60_000 });

    /** Commits a message to these addresses, and defers it. */
    async function defer(addresses: readonly string[], change: Partial<MessageState> = {}): Promise<string> {
      const recipients = addresses.map((address) => ({ address }));
      const { id } = await commitMessage(store, sampleText(100), { recipients });
      const states = addresses.map(() => ({ kind: 'pending', attempts: 1 }) as const);
      await store.settle(id, { state: deferredState(later, { recipients: states, ...change }), reports: [] });
      return id;
    }

    beforeEach(async () => {
      store = await open({ now: () => START });
    });

    afterEach(() => store.close());

    it('CMD-ETRN-3 CMD-ETRN-6 knows what waits for a domain, and for those below it', async () => {
      const shop = await defer(['sales@shop.example.com', 'Info@SHOP.example.com']);
      const both = await defer(['a@shop.example.com', 'b@deep.shop.example.com', 'c@other.test']);
      const near = await defer(['a@myshop.example.com', 'a@shop.example.comx', 'a@shop-x.example.com']);
      const wide = await defer(['a@pelé.example']);
      expect(waitingFor('shop.example.com')).toEqual([shop, both]);
      expect(waitingFor('deep.shop.example.com')).toEqual([both]);
      expect(waitingFor('shop.example.com', true)).toEqual([shop, both, both]);
      expect(waitingFor('example.com')).toEqual([]);
      expect(new Set(waitingFor('example.com', true))).toEqual(new Set([shop, both, near]));
      expect(waitingFor('xn--pel-dma.example')).toEqual([wide]);
      expect(waitingFor('absent.example')).toEqual([]);
    });

    it('CMD-ATRN-5 forgets who has it, who is refused, and all of it when it leaves', async () => {
      const id = await defer(['a@one.test', 'b@two.test', 'c@two.test', 'd@three.test']);
      const pending = { kind: 'pending', attempts: 2 } as const;
      const recipients = [{ kind: 'delivered', attempts: 2 } as const, pending, pending, pending];
      await store.settle(id, { state: deferredState(later, { recipients }), reports: [] });
      expect([waitingFor('one.test'), waitingFor('two.test'), waitingFor('three.test')]).toEqual([[], [id], [id]]);
      await take(id);
      const failed = { kind: 'failed', attempts: 3 } as const;
      await store.record(id, {
        state: deferredState(later, { recipients: [failed, pending, failed, failed] }),
        reports: [],
      });
      expect([waitingFor('two.test'), waitingFor('three.test')]).toEqual([[id], []]);
      await store.settle(id, { state: 'done', reports: [] });
      expect(waitingFor('test', true)).toEqual([]);
    });

    it('CMD-ATRN-5 leaves out what is on hold, and gives it to nobody', async () => {
      const id = await defer(['a@one.test']);
      await store.change(id, ({ state }) => ({ state: { ...state, held: true }, reports: [] }));
      expect(waitingFor('one.test')).toEqual([]);
      expect(await take(id)).toBeUndefined();
      await store.change(id, ({ state }) => ({ state: { ...state, held: false }, reports: [] }));
      expect(waitingFor('one.test')).toEqual([id]);
      expect(await take(id)).toMatchObject({ envelope: { id } });
    });

    it('CMD-ATRN-5 gives a message before it is due, to one at a time, and takes it back', async () => {
      const id = await defer(['a@one.test']);
      expect(await store.claim({ now: START, limit: 10, until: later })).toEqual([]);
      expect((await take(id))?.state.due).toBe(later);
      expect(await take(id)).toBeUndefined();
      expect(await store.change(id, () => ({ state: 'done', reports: [] }))).toBe(false);
      await store.release(id);
      expect((await take(id))?.envelope.id).toBe(id);
      expect((await take(id, START + 60_001))?.envelope.id).toBe(id);
      await store.settle(id, { state: 'done', reports: [] });
      expect(await take(id, later)).toBeUndefined();
      expect(store.count()).toBe(0);
    });

    it('CMD-ATRN-5 gives a message of which nothing was tried, and counts it from then on', async () => {
      const { id } = await commitMessage(store, sampleText(100), { recipients: [{ address: 'a@one.test' }] });
      expect(await take(id)).toBeUndefined();
      await store.release(id);
      expect(waitingFor('one.test')).toEqual([]);
      expect((await take(id))?.envelope.id).toBe(id);
      await store.settle(id, { state: deferredState(later), reports: [] });
      expect(waitingFor('one.test')).toEqual([id]);
    });

    it('CMD-ETRN-3 walks over more than it reads at once, while what was found leaves', async () => {
      const ids: string[] = [];
      for (let count = 0; count < 600; count += 1) ids.push(await defer(['a@one.test']));
      const seen: string[] = [];
      for (const id of store.waitingFor({ domain: 'one.test' })) {
        seen.push(id);
        await take(id);
        await store.settle(id, { state: 'done', reports: [] });
      }
      expect(seen).toEqual(ids);
      expect(waitingFor('one.test')).toEqual([]);
    });
  });
}
