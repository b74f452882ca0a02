import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { CheckpointLimits, CheckpointStore } from '../queue/checkpoint.ts';
import type {
  Content,
  DomainQuery,
  Draft,
  NewMessage,
  QueuedMessage,
  QueueQuery,
  QueueStore,
  Settlement,
} from '../queue/queue-store.ts';
import { DueIndex } from './due-index.ts';
import { Leases } from './leases.ts';
import { draftsWritten, type NewMessages, planNewMessages } from './new-messages.ts';
import { OnceKeys } from './once-keys.ts';
import { type Found, freshDueKey, type Plan, planDue, planRemoval, planState } from './plan.ts';
import { createIdSource, isQueueId } from './queue-id.ts';
import type { Place } from './record.ts';
import { defaultCheckpointLimits, SpoolCheckpoints } from './spool-checkpoints.ts';
import { type DraftStore, SpoolDraft } from './spool-draft.ts';
import { SpoolReader } from './spool-reader.ts';
import { SpoolTracks } from './spool-tracks.ts';
import type { Backend, Write } from './table.ts';

const FOREVER = Number.POSITIVE_INFINITY;
/** How long what must be written waits for room before it tries again, in milliseconds. */
const FULL_PAUSE = 1000;

/** What a store keeps beside its messages, at most. */
export interface SpoolBounds {
  readonly checkpoints?: CheckpointLimits;
  /** Tracked messages that have left the queue; default 100,000. */
  readonly mostTracks?: number;
}

/** How a message is settled. */
interface Settling {
  readonly settlement: Settlement;
  readonly keepsLease?: boolean;
}

/**
 * The one implementation of a queue on tables. A message is in `messages` until an attempt is recorded for it, then in
 * `states`, and in nobody's hands exactly if it has an entry in `due` or is held. Leases are in memory alone.
 */
export class SpoolStore implements QueueStore {
  readonly #backend: Backend;
  readonly #reader: SpoolReader;
  readonly #now: () => number;
  readonly #leases = new Leases((id) => this.#changes.has(id));
  readonly #due: DueIndex;
  readonly #once: OnceKeys;
  /** Changes on their way to the disk, by message: the next one waits for the last. */
  readonly #changes = new Map<string, Promise<unknown>>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  readonly newId: () => string;

  readonly checkpoints: CheckpointStore;
  readonly tracks: SpoolTracks;
  readonly #drafts: DraftStore;

  constructor(backend: Backend, now: () => number, bounds: SpoolBounds = {}) {
    this.#backend = backend;
    this.#reader = new SpoolReader(backend.tables);
    this.#now = now;
    this.#due = new DueIndex(backend.tables.due, (id) => this.#leases.has(id));
    this.#once = new OnceKeys(backend.tables.once, now);
    this.tracks = new SpoolTracks({ backend, find: (id) => this.#reader.get(id), now, ...bounds });
    this.newId = createIdSource(now);
    this.#drafts = {
      backend,
      lease: (id, place) => this.#leases.take(id, { until: FOREVER, place }),
      unlease: (id) => this.#leases.drop(id),
      remove: (id, others) => this.#remove(id, others),
      persist: (writes) => this.#persist(writes),
      addWith: (writes, messages) => this.#addWith(writes, messages),
      track: (envelope) => this.tracks.planCommit(envelope),
    };
    this.checkpoints = new SpoolCheckpoints({
      backend,
      store: this.#drafts,
      newId: this.newId,
      now,
      limits: bounds.checkpoints ?? defaultCheckpointLimits,
    });
  }

  draft(id = this.newId()): Draft {
    if (!isQueueId(id)) throw new Failure('invalid', `${id} is not a queue id`);
    return new SpoolDraft(id, this.#drafts);
  }

  async add(messages: readonly NewMessage[]): Promise<void> {
    const written = draftsWritten(messages);
    if (written !== undefined) await written;
    await this.#addWith([], messages);
  }

  async claim({ now, limit, until }: Parameters<QueueStore['claim']>[0]): Promise<QueuedMessage[]> {
    this.#expire(now);
    const claimed: QueuedMessage[] = [];
    if (limit <= 0) return claimed;
    for (const { key, id } of this.#due.walk(now + 1)) {
      const message = this.#claimOne(id, { key, until });
      if (message !== undefined && claimed.push(message) === limit) break;
    }
    return claimed;
  }

  waitingFor(query: DomainQuery): Iterable<string> {
    return this.#reader.waitingFor(query);
  }

  async claimOne(
    id: string,
    { now, until }: Parameters<QueueStore['claimOne']>[1],
  ): Promise<QueuedMessage | undefined> {
    this.#expire(now);
    const found = this.#leases.has(id) ? undefined : this.#reader.find(id);
    return found === undefined || found.message.state.held ? undefined : this.#lease(id, found, until);
  }

  renew(id: string, until: number): void {
    const lease = this.#leases.get(id);
    // One without end, as a commit gives it, is not made shorter.
    if (lease !== undefined && lease.until !== FOREVER) this.#leases.take(id, { ...lease, until });
  }

  async release(id: string, due?: number): Promise<void> {
    await this.#exclusively(id, async () => {
      const place = this.#leases.get(id)?.place;
      if (place === undefined) return;
      // A message on hold has no entry in `due`, and must not get one.
      const isIndexed = place.dueKey !== undefined || !place.fresh;
      if (due === undefined && isIndexed) this.#giveBack(id, place.dueKey === undefined ? [] : [place.dueKey]);
      else await this.#carryOut(id, place, due === undefined ? planFresh(id) : this.#planDelay(id, place, due));
    });
  }

  async settle(id: string, settlement: Settlement): Promise<void> {
    const written = draftsWritten(settlement.reports);
    if (written !== undefined) await written;
    await this.#exclusively(id, async () => {
      const place = this.#leases.get(id)?.place ?? this.#reader.find(id)?.place;
      if (place !== undefined) await this.#settle(id, place, { settlement });
      else if (settlement.state !== 'done' || settlement.reports.length > 0) throw isGone(id);
    });
  }

  async record(id: string, settlement: Settlement): Promise<void> {
    const written = draftsWritten(settlement.reports);
    if (written !== undefined) await written;
    await this.#exclusively(id, async () => {
      const place = this.#leases.get(id)?.place;
      if (place === undefined) throw new Failure('storage', `Message ${id} is not leased`);
      await this.#settle(id, place, { settlement, keepsLease: true });
    });
  }

  change(id: string, change: (message: QueuedMessage) => Settlement): Promise<boolean> {
    return this.#exclusively(id, async () => {
      this.#expire(this.#now());
      const found = this.#leases.has(id) ? undefined : this.#reader.find(id);
      if (found === undefined) return false;
      const { envelope, state } = found.message;
      const settlement = change({ envelope, state });
      await this.#settle(id, found.place, { settlement });
      return true;
    });
  }

  async content(id: string): Promise<Content> {
    return this.#reader.content(id);
  }

  async get(id: string): Promise<QueuedMessage | undefined> {
    return this.#reader.get(id);
  }

  list(query: QueueQuery = {}): AsyncIterable<QueuedMessage> {
    return this.#reader.list(query);
  }

  nextDue(): number | undefined {
    this.#expire(this.#now());
    return this.#due.first()?.time;
  }

  count(): number {
    return this.#reader.count();
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#backend.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #claimOne(id: string, { key, until }: { key: string; until: number }): QueuedMessage | undefined {
    try {
      const found = this.#reader.find(id);
      if (found === undefined) return this.#removeStray(id, key);
      return this.#lease(id, { ...found, place: { ...found.place, dueKey: key } }, until);
    } catch {
      // One record that cannot be read must not stop the others; it is left alone until the next start.
      this.#leases.take(id, { until: FOREVER, place: { fresh: false, parts: 0, dueKey: key } });
      return undefined;
    }
  }

  #lease(id: string, { message, place }: Pick<Found, 'message' | 'place'>, until: number): QueuedMessage {
    const { envelope, state } = message;
    this.#leases.take(id, { until, place });
    return { envelope, state };
  }

  #expire(now: number): void {
    this.#leases.expire(now, ({ dueKey }) => this.#open(dueKey === undefined ? [] : [dueKey]));
  }

  #open(keys: readonly string[]): void {
    for (const key of keys) this.#due.opened(key);
  }

  #giveBack(id: string, opened: readonly string[]): void {
    this.#leases.drop(id);
    this.#open(opened);
  }

  /** Runs changes of one message one after the other. */
  async #exclusively<T>(id: string, run: () => Promise<T>): Promise<T> {
    for (let last = this.#changes.get(id); last !== undefined; last = this.#changes.get(id)) await last;
    const running = run();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#changes.set(id, settled);
    try {
      return await running;
    } finally {
      this.#changes.delete(id);
    }
  }

  /** Makes a plan durable; until then nobody else gets the message, whatever the lease says. */
  async #carryOut(id: string, before: Place, plan: Plan & { keepsLease?: boolean }): Promise<void> {
    const isLeased = this.#leases.has(id);
    if (!isLeased) this.#leases.take(id, { until: FOREVER, place: before });
    try {
      await this.#persist(plan.writes);
    } catch (error) {
      if (!isLeased) this.#giveBack(id, before.dueKey === undefined ? [] : [before.dueKey]);
      throw error;
    }
    const lease = this.#leases.get(id);
    if (plan.keepsLease !== true || plan.place === undefined || lease === undefined) this.#leases.drop(id);
    else this.#leases.take(id, { ...lease, place: plan.place });
    this.#open(plan.opened);
  }

  async #settle(id: string, place: Place, { settlement, keepsLease = false }: Settling): Promise<void> {
    const { state, reports, tracked } = settlement;
    const track = tracked === undefined ? [] : this.tracks.planDone(tracked);
    await this.#withNew(reports, async (added) => {
      const plan: Plan =
        state === 'done' ? { writes: planRemoval(id, place), opened: [] } : this.#planState(id, place, state);
      const writes = [...plan.writes, ...added.writes, ...track];
      await this.#carryOut(id, place, { ...plan, writes, opened: [...plan.opened, ...added.opened], keepsLease });
    });
  }

  #remove(id: string, others: readonly Write[]): Promise<void> {
    return this.#exclusively(id, async () => {
      const place = this.#leases.get(id)?.place;
      if (place === undefined) throw isGone(id);
      await this.#carryOut(id, place, { writes: [...planRemoval(id, place), ...others], opened: [] });
    });
  }

  async #addWith(others: readonly Write[], messages: readonly NewMessage[]): Promise<void> {
    await this.#withNew(messages, async ({ writes, opened }) => {
      await this.#backend.commit([...others, ...writes], 'new mail');
      this.#open(opened);
    });
  }

  /** Stores messages of our own by `commit`, and tells them what came of it. */
  async #withNew(messages: readonly NewMessage[], commit: (planned: NewMessages) => Promise<void>): Promise<void> {
    // No pause before the writes are planned: nobody else may get hold of the message meanwhile.
    const planned = planNewMessages(messages, this.#once);
    try {
      await commit(planned);
    } catch (error) {
      await planned.end(false);
      throw error;
    }
    await planned.end(true);
  }

  #planDelay(id: string, place: Place, due: number): Plan {
    const state = this.#reader.get(id)?.state;
    if (state === undefined) throw isGone(id);
    return this.#planState(id, place, { ...state, due });
  }

  #planState(id: string, place: Place, state: QueuedMessage['state']): Plan {
    const found = this.#reader.find(id);
    if (found === undefined) throw isGone(id);
    return planState(id, { ...found, place }, state);
  }

  #removeStray(id: string, key: string): undefined {
    const place = { fresh: true, parts: 0, dueKey: key };
    this.#carryOut(id, place, { writes: [{ table: 'due', key }], opened: [] }).catch(() => undefined);
  }

  /** Writes what is owed to queued mail: waits for room on a full disk, since to give up would mean to deliver twice. */
  async #persist(writes: readonly Write[]): Promise<void> {
    for (;;) {
      try {
        return await this.#backend.commit(writes, 'queued mail');
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'full') throw error;
        await wait(FULL_PAUSE, undefined, { signal: this.#closing.signal }).catch(() => {
          throw error;
        });
      }
    }
  }
}

function planFresh(id: string): Plan {
  const key = freshDueKey(id);
  return { writes: [planDue(key)], opened: [key] };
}

function isGone(id: string): Failure {
  return new Failure('storage', `Message ${id} is not in the spool`);
}
