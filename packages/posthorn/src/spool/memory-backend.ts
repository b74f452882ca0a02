import { Failure } from '@posthorn/smtp/failure/failure';
import type { Backend, KeyRange, Table, Tables, Write } from './table.ts';

/** A table in memory: values by key, and the keys in order. */
class MemoryTable implements Table {
  readonly #values = new Map<string, Buffer>();
  readonly #keys: string[] = [];

  get(key: string): Buffer | undefined {
    return this.#values.get(key);
  }

  keys({ start, end, limit }: KeyRange): string[] {
    const from = this.#placeOf(start);
    const to = end === undefined ? this.#keys.length : this.#placeOf(end);
    return this.#keys.slice(from, Math.min(to, from + limit));
  }

  count(): number {
    return this.#keys.length;
  }

  /** Tells by how many octets the table has grown. */
  set(key: string, value: Buffer | undefined): number {
    const before = this.#values.get(key);
    if (before === undefined && value !== undefined) this.#keys.splice(this.#placeOf(key), 0, key);
    if (before !== undefined && value === undefined) this.#keys.splice(this.#placeOf(key), 1);
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
    return (value?.length ?? 0) - (before?.length ?? 0);
  }

  /** Index of the first key that is not less than the given one. */
  #placeOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A spool in memory, gone with the process; new mail is refused when its values take `capacity` octets. */
export function createMemoryBackend(capacity: number): Backend {
  const tables: Tables<MemoryTable> = {
    messages: new MemoryTable(),
    states: new MemoryTable(),
    parts: new MemoryTable(),
    due: new MemoryTable(),
    domains: new MemoryTable(),
    drafts: new MemoryTable(),
    once: new MemoryTable(),
    tracks: new MemoryTable(),
    checkpoints: new MemoryTable(),
  };
  let used = 0;
  let closed = false;

  function apply(writes: readonly Write[]): void {
    for (const { table, key, value } of writes) used += tables[table].set(key, value);
  }

  return {
    tables,
    async commit(writes, use) {
      if (closed) throw new Failure('storage', 'The spool is closed');
      const size = writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      if (use === 'new mail' && used + size > capacity) throw new Failure('full', 'There is no room left in the spool');
      apply(writes);
    },
    async close() {
      closed = true;
    },
  };
}
