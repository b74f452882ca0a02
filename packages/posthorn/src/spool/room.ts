import { statfsSync } from 'node:fs';
import { type LmdbSpool, statistics } from './lmdb-tables.ts';
import type { Write } from './table.ts';

/** How long a measurement is good for, in milliseconds: others use the disk too. */
const FRESHNESS = 100;
/** What new mail leaves free on the disk, in octets: with it, what is queued can still be settled. */
const RESERVE = 32 * 1024 * 1024;
/** What a value takes beyond its own size, in octets: key, page heads. */
const OVERHEAD = 64;

/** How much room there is for new mail; measured now and then, and counted down in between. */
export class Room {
  readonly #spool: LmdbSpool;
  readonly #path: string;
  readonly #capacity: number;
  readonly #pageSize: number;
  #available = 0;
  /** Octets that were taken since the last transaction ended, and that no measurement sees yet. */
  #promised = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;

  /** `capacity` is the most that the messages may take, in octets. */
  constructor(spool: LmdbSpool, path: string, capacity: number) {
    this.#spool = spool;
    this.#path = path;
    this.#capacity = capacity;
    this.#pageSize = statistics(spool.root).pageSize;
  }

  /** Begins a transaction: what was taken before it is on the disk, or will not be. */
  begin(): void {
    this.#promised = 0;
  }

  /** Takes room for these writes, if there is enough. */
  take(writes: readonly Write[]): boolean {
    let cost = 0;
    for (const { value } of writes) if (value !== undefined) cost += this.#costOf(value);
    if (cost > this.#available || performance.now() - this.#measuredAt > FRESHNESS) this.#measure();
    if (cost > this.#available) return false;
    this.#available -= cost;
    this.#promised += cost;
    return true;
  }

  /** Whether the disk has less room than the reserve. */
  isScarce(): boolean {
    const disk = statfsSync(this.#path);
    return disk.bavail * disk.bsize < reserveOf(disk.blocks * disk.bsize);
  }

  #costOf(value: Buffer): number {
    return Math.ceil((value.length + OVERHEAD) / this.#pageSize) * this.#pageSize;
  }

  #measure(): void {
    const disk = statfsSync(this.#path);
    const used = this.#used();
    const holes = (statistics(this.#spool.root).lastPageNumber + 1) * this.#pageSize - used;
    const free = disk.bavail * disk.bsize + holes - reserveOf(disk.blocks * disk.bsize);
    this.#available = Math.min(free, this.#capacity - used) - this.#promised;
    this.#measuredAt = performance.now();
  }

  /** What the tables take, in octets. */
  #used(): number {
    let pages = 0;
    for (const { database } of Object.values(this.#spool.tables)) {
      const { treeBranchPageCount, treeLeafPageCount, overflowPages } = statistics(database);
      pages += treeBranchPageCount + treeLeafPageCount + overflowPages;
    }
    return pages * this.#pageSize;
  }
}

function reserveOf(total: number): number {
  return Math.min(RESERVE, total / 16);
}
