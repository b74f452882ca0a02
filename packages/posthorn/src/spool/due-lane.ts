import { laneEnd, lanePrefix, readDueKey } from './due-key.ts';
import { formatTime } from './queue-id.ts';
import type { Table } from './table.ts';

const STEP = 256;

/** One entry of the index of due messages. */
export interface DueEntry {
  readonly key: string;
  readonly id: string;
}

/**
 * Walks the due messages of one priority past those that are leased. They stay on disk; in memory is only the place up to
 * which all entries are known to be leased, so that a walk does not step over them again and again.
 */
export class DueLane {
  readonly #table: Table;
  readonly #isTaken: (id: string) => boolean;
  readonly #prefix: string;
  readonly #first: string;
  #start: string;

  constructor(table: Table, isTaken: (id: string) => boolean, priority: number) {
    this.#table = table;
    this.#isTaken = isTaken;
    this.#prefix = lanePrefix(priority);
    this.#first = `${this.#prefix}0`;
    this.#start = this.#first;
  }

  /** Whether it has any entry, leased or not. */
  get isEmpty(): boolean {
    return this.#table.keys({ start: this.#first, end: laneEnd(this.#prefix), limit: 1 }).length === 0;
  }

  /** Tells that the entry is new, or that its message is not leased any more. */
  opened(key: string): void {
    if (key < this.#start) this.#start = key;
  }

  /** The entries that are not leased, earliest first, due before `end`; whoever walks on has leased the last one. */
  *walk(end?: number): Generator<DueEntry, void, undefined> {
    const last = end === undefined ? laneEnd(this.#prefix) : this.#prefix + formatTime(end);
    for (;;) {
      const keys = this.#table.keys({ start: this.#start, end: last, limit: STEP });
      for (const key of keys) {
        const { id } = readDueKey(key);
        if (!this.#isTaken(id)) {
          this.#start = key;
          yield { key, id };
        }
        this.#start = `${key}!`;
      }
      if (keys.length < STEP) return;
    }
  }
}
