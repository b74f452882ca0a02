import { formatTime, parseTime } from './queue-id.ts';
import type { Table } from './table.ts';

const STEP = 256;
const TIME_DIGITS = 9;

/** The key of a message in the index of due messages: time, then id. */
export function dueKey(due: number, id: string): string {
  return formatTime(due) + id;
}

/**
 * Walks the index of due messages past those that are leased. It stays on disk; in memory is only the place up to which
 * all entries are known to be leased, so that a walk does not step over them again and again.
 */
export class DueIndex {
  readonly #table: Table;
  readonly #isTaken: (id: string) => boolean;
  #start = '0';

  constructor(table: Table, isTaken: (id: string) => boolean) {
    this.#table = table;
    this.#isTaken = isTaken;
  }

  /** Tells that the entry is new, or that its message is not leased any more. */
  opened(key: string): void {
    if (key < this.#start) this.#start = key;
  }

  /** The earliest entry that is not leased. */
  first(): { key: string; time: number } | undefined {
    for (const { key } of this.walk()) return { key, time: parseTime(key) };
    return undefined;
  }

  /** The entries that are not leased, earliest first, due before `end`; whoever walks on has leased the last one. */
  *walk(end?: number): Iterable<{ key: string; id: string }> {
    for (;;) {
      const range = { start: this.#start, limit: STEP };
      const keys = this.#table.keys(end === undefined ? range : { ...range, end: formatTime(end) });
      for (const key of keys) {
        const id = key.slice(TIME_DIGITS);
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
