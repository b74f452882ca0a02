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
import { Claims } from './claims.ts';
import type { DraftStore } from './draft-store.ts';
import { draftsWritten, type NewMessages, planNewMessages } from './new-messages.ts';
import { OnceKeys } from './once-keys.ts';
import { freshDueKey, type Plan, planDue, planRemoval, planState } from './plan.ts';
import { createIdSource, isQueueId } from './queue-id.ts';
import type { Place } from './record.ts';
import { defaultCheckpointLimits, SpoolCheckpoints } from './spool-checkpoints.ts';
import { SpoolDraft } from './spool-draft.ts';
import { SpoolReader } from './spool-reader.ts';
import { SpoolTracks } from './spool-tracks.ts';
import type { Backend, Write } from './table.ts';
import { Turns } from './turns.ts';

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
  readonly #claims: Claims;
  readonly #once: OnceKeys;
  /** Changes on their way to the disk, by message: the next one waits for the last. */
  readonly #changes = new Turns();
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
    this.#claims = new Claims({
      due: backend.tables.due,
      reader: this.#reader,
      isBusy: (id) => this.#changes.has(id),
      removeStray: (id, key) => this.#removeStray(id, key),
    });
    this.#once = new OnceKeys(backend.tables.once, now);
    this.tracks = new SpoolTracks({ backend, find: (id) => this.#reader.get(id), now, ...bounds });
    this.newId = createIdSource(now);
    this.#drafts = {
      backend,
      lease: (id, place) => this.#claims.take(id, place),
      unlease: (id) => this.#claims.drop(id),
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

  async claim(request: Parameters<QueueStore['claim']>[0]): Promise<QueuedMessage[]> {
    return this.#claims.claim(request);
  }

  waitingFor(query: DomainQuery): Iterable<string> {
    return this.#reader.waitingFor(query);
  }

  async claimOne(id: string, request: Parameters<QueueStore['claimOne']>[1]): Promise<QueuedMessage | undefined> {
    return this.#claims.claimOne(id, request);
  }

  renew(id: string, until: number): void {
    this.#claims.renew(id, until);
  }

  async release(id: string, due?: number): Promise<void> {
    await this.#changes.run(id, async () => {
      const place = this.#claims.placeOf(id);
      if (place === undefined) return;
      // A message on hold has no entry in `due`, and must not get one.
      const isIndexed = place.dueKey !== undefined || !place.fresh;
      if (due === undefined && isIndexed) this.#claims.giveBack(id, place);
      else await this.#carryOut(id, place, due === undefined ? planFresh(id) : this.#planDelay(id, place, due));
    });
  }

  async settle(id: string, settlement: Settlement): Promise<void> {
    const written = draftsWritten(settlement.reports);
    if (written !== undefined) await written;
    await this.#changes.run(id, async () => {
      const place = this.#claims.placeOf(id) ?? this.#reader.find(id)?.place;
      if (place !== undefined) await this.#settle(id, place, { settlement });
      else if (settlement.state !== 'done' || settlement.reports.length > 0) throw isGone(id);
    });
  }

  async record(id: string, settlement: Settlement): Promise<void> {
    const written = draftsWritten(settlement.reports);
    if (written !== undefined) await written;
    await this.#changes.run(id, async () => {
      const place = this.#claims.placeOf(id);
      if (place === undefined) throw new Failure('storage', `Message ${id} is not leased`);
      await this.#settle(id, place, { settlement, keepsLease: true });
    });
  }

  change(id: string, change: (message: QueuedMessage) => Settlement): Promise<boolean> {
    return this.#changes.run(id, async () => {
      this.#claims.expire(this.#now());
      const found = this.#claims.has(id) ? undefined : this.#reader.find(id);
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
    return this.#claims.nextDue(this.#now());
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

  /** Makes a plan durable; until then nobody else gets the message, whatever the lease says. */
  async #carryOut(id: string, before: Place, plan: Plan & { keepsLease?: boolean }): Promise<void> {
    const isLeased = this.#claims.has(id);
    if (!isLeased) this.#claims.take(id, before);
    try {
      await this.#persist(plan.writes);
    } catch (error) {
      if (!isLeased) this.#claims.giveBack(id, before);
      throw error;
    }
    if (plan.keepsLease === true && plan.place !== undefined) this.#claims.move(id, plan.place);
    else this.#claims.drop(id);
    this.#claims.opened(plan.opened);
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
    return this.#changes.run(id, async () => {
      const place = this.#claims.placeOf(id);
      if (place === undefined) throw isGone(id);
      await this.#carryOut(id, place, { writes: [...planRemoval(id, place), ...others], opened: [] });
    });
  }

  async #addWith(others: readonly Write[], messages: readonly NewMessage[]): Promise<void> {
    await this.#withNew(messages, async ({ writes, opened }) => {
      await this.#backend.commit([...others, ...writes], 'new mail');
      this.#claims.opened(opened);
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
