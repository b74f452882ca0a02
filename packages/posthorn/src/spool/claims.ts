import type { QueuedMessage, QueueStore } from '../queue/queue-store.ts';
import { DueIndex } from './due-index.ts';
import { Leases } from './leases.ts';
import type { Found } from './plan.ts';
import type { Place } from './record.ts';
import type { SpoolReader } from './spool-reader.ts';
import type { Table } from './table.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** What claims are made from. */
export interface ClaimParts {
  readonly due: Table;
  readonly reader: Pick<SpoolReader, 'find'>;
  /** Whether a change of a message is on its way to the disk. */
  readonly isBusy: (id: string) => boolean;
  /** Removes an entry of `due` that has lost its message. */
  readonly removeStray: (id: string, key: string) => void;
}

/** Who has which message in hand, and which are due that nobody has; in memory alone. */
export class Claims {
  readonly #parts: ClaimParts;
  readonly #leases: Leases;
  readonly #due: DueIndex;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
    this.#leases = new Leases(parts.isBusy);
    this.#due = new DueIndex(parts.due, (id) => this.#leases.has(id));
  }

  has(id: string): boolean {
    return this.#leases.has(id);
  }

  /** Where the entries of a message are that somebody has. */
  placeOf(id: string): Place | undefined {
    return this.#leases.get(id)?.place;
  }

  /** Gives a message to somebody for as long as that takes. */
  take(id: string, place: Place): void {
    this.#leases.take(id, { until: FOREVER, place });
  }

  /** The entries of a message that somebody has, and keeps, are elsewhere now. */
  move(id: string, place: Place): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) this.#leases.take(id, { ...lease, place });
  }

  drop(id: string): void {
    this.#leases.drop(id);
  }

  /** Tells that these entries of `due` are new, or that nobody has their message any more. */
  opened(keys: readonly string[]): void {
    for (const key of keys) this.#due.opened(key);
  }

  /** Takes a message from whoever has it. */
  giveBack(id: string, { dueKey }: Pick<Place, 'dueKey'>): void {
    this.#leases.drop(id);
    if (dueKey !== undefined) this.#due.opened(dueKey);
  }

  claim({ now, limit, until }: Parameters<QueueStore['claim']>[0]): QueuedMessage[] {
    this.expire(now);
    const claimed: QueuedMessage[] = [];
    if (limit <= 0) return claimed;
    for (const { key, id } of this.#due.walk(now + 1)) {
      const message = this.#claimDue(id, { key, until });
      if (message !== undefined && claimed.push(message) === limit) break;
    }
    return claimed;
  }

  claimOne(id: string, { now, until }: Parameters<QueueStore['claimOne']>[1]): QueuedMessage | undefined {
    this.expire(now);
    const found = this.#leases.has(id) ? undefined : this.#parts.reader.find(id);
    return found === undefined || found.message.state.held ? undefined : this.#lease(id, found, until);
  }

  renew(id: string, until: number): void {
    const lease = this.#leases.get(id);
    // One without end, as a commit gives it, is not made shorter.
    if (lease !== undefined && lease.until !== FOREVER) this.#leases.take(id, { ...lease, until });
  }

  /** When the earliest message is due that nobody has. */
  nextDue(now: number): number | undefined {
    this.expire(now);
    return this.#due.first()?.time;
  }

  /** Ends the leases whose time is over. */
  expire(now: number): void {
    this.#leases.expire(now, ({ dueKey }) => this.opened(dueKey === undefined ? [] : [dueKey]));
  }

  #claimDue(id: string, { key, until }: { key: string; until: number }): QueuedMessage | undefined {
    try {
      const found = this.#parts.reader.find(id);
      if (found !== undefined) return this.#lease(id, { ...found, place: { ...found.place, dueKey: key } }, until);
      this.#parts.removeStray(id, key);
    } catch {
      // One record that cannot be read must not stop the others; it is left alone until the next start.
      this.take(id, { fresh: false, parts: 0, dueKey: key });
    }
    return undefined;
  }

  #lease(id: string, { message, place }: Pick<Found, 'message' | 'place'>, until: number): QueuedMessage {
    const { envelope, state } = message;
    this.#leases.take(id, { until, place });
    return { envelope, state };
  }
}
