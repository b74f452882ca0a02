import type { NewMessage } from '../queue/queue-store.ts';
import type { Table, Write } from './table.ts';

/** Keys in force at a time; beyond, whatever would need one more is left out: nobody's mailbox is flooded by that. */
const MOST_KEYS = 1_000_000;
/** Old keys that each new one pays for looking at, so that those whose time is over go. */
const SWEPT = 10;

/** Messages that may be stored, and the writes that remember them. */
export interface Remembered {
  readonly messages: readonly NewMessage[];
  readonly writes: readonly Write[];
  /** To be called when the writes are on disk, or have failed. */
  done(): void;
}

/** Remembers for its time which message was stored, where another with the same key must not follow it (RFC 3834 §2). */
export class OnceKeys {
  readonly #table: Table;
  readonly #now: () => number;
  /** On their way to the disk. */
  readonly #pending = new Set<string>();
  #sweptTo = '';

  constructor(table: Table, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Leaves out what was stored before. */
  remember(messages: readonly NewMessage[]): Remembered {
    const keys: string[] = [];
    const writes: Write[] = [];
    const kept = messages.filter(({ once }) => {
      if (once === undefined) return true;
      if (this.#isInForce(once.key) || this.#table.count() + keys.length >= MOST_KEYS) return false;
      keys.push(once.key);
      this.#pending.add(once.key);
      writes.push({ table: 'once', key: once.key, value: Buffer.from(String(once.until)) });
      return true;
    });
    const isNew = new Set(keys);
    const swept = keys.length === 0 ? [] : this.#sweep().filter(({ key }) => !isNew.has(key));
    const done = () => {
      for (const key of keys) this.#pending.delete(key);
    };
    return { messages: kept, writes: [...writes, ...swept], done };
  }

  #isInForce(key: string): boolean {
    return this.#pending.has(key) || this.#until(key) > this.#now();
  }

  #until(key: string): number {
    return Number(this.#table.get(key)?.toString('latin1') ?? 0);
  }

  #sweep(): Write[] {
    const keys = this.#table.keys({ start: this.#sweptTo, limit: SWEPT });
    const last = keys.at(-1);
    this.#sweptTo = keys.length < SWEPT || last === undefined ? '' : `${last}!`;
    return keys.filter((key) => !this.#isInForce(key)).map((key): Write => ({ table: 'once', key }));
  }
}
