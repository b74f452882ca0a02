import { type FileHandle, open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type LmdbSpool, statistics } from './lmdb-tables.ts';
import type { Write } from './table.ts';

const MEBIBYTE = 1024 * 1024;
const MAX_STEP = 16 * MEBIBYTE;
/** What new mail leaves free in the file, in octets, so that what is queued can still be settled. */
const RESERVE = 4 * MEBIBYTE;
/** The most that LMDB's list of free pages may take in one transaction, in octets. */
const SLACK = MEBIBYTE;
/** Pages of the tree that one write may touch anew: a leaf, its other half, a branch. */
const PAGES_PER_WRITE = 3;
/** A value up to this size stands in a leaf, in octets. */
const INLINE = 1024;

/** What a transaction needs. */
export interface Need {
  /** Octets of its values. */
  readonly size: number;
  /** Octets that the file may grow by, at worst. */
  readonly growth: number;
}

/**
 * Keeps the file of the spool longer than LMDB needs it. LMDB must never meet a full disk: it would fail in the middle
 * of a transaction, and not always in good order. So the room for a transaction is on the disk before it begins, and
 * new mail is refused while that cannot be had.
 */
export class Room {
  readonly #spool: LmdbSpool;
  readonly #file: FileHandle;
  readonly #capacity: number;
  readonly #reserve: number;
  readonly #pageSize: number;
  /** Octets of the file, and those that LMDB has ever used, from its beginning. */
  #length = 0;
  #reached = 0;
  /** Octets in use, once they had to be counted for this transaction. */
  #used: number | undefined;
  #taken = { size: 0, growth: 0 };

  private constructor(
    spool: LmdbSpool,
    file: FileHandle,
    { capacity, reserve }: { capacity: number; reserve: number },
  ) {
    this.#spool = spool;
    this.#file = file;
    this.#capacity = capacity;
    this.#reserve = reserve;
    this.#pageSize = statistics(spool.root).pageSize;
  }

  /** `capacity` is the most that the messages may take, in octets. */
  static async open(spool: LmdbSpool, path: string, capacity: number): Promise<Room> {
    const disk = await statfs(path);
    const file = await open(join(path, 'data.mdb'), 'r+');
    const room = new Room(spool, file, { capacity, reserve: Math.min(RESERVE, (disk.blocks * disk.bsize) / 8) });
    room.#length = (await file.stat()).size;
    return room;
  }

  needOf(writes: readonly Write[]): Need {
    let size = 0;
    let pages = writes.length * PAGES_PER_WRITE;
    for (const { value } of writes) {
      if (value === undefined) continue;
      size += value.length;
      if (value.length > INLINE) pages += 1 + Math.ceil(value.length / this.#pageSize);
    }
    return { size, growth: pages * this.#pageSize };
  }

  /** Begins a transaction that may grow the file so far; a promise when the file must be made longer first. */
  begin(growth: number): Promise<void> | undefined {
    this.#reached = (statistics(this.#spool.root).lastPageNumber + 1) * this.#pageSize;
    this.#used = undefined;
    this.#taken = { size: 0, growth: 0 };
    const wanted = this.#reached + growth + SLACK + this.#reserve;
    // Ever longer steps, so that a long file is not made longer with every transaction.
    return wanted > this.#length
      ? this.#extend(wanted + Math.max(MEBIBYTE, Math.min(wanted / 8, MAX_STEP)))
      : undefined;
  }

  /** Takes room for a part of the transaction, if there is enough. */
  take({ size, growth }: Need, use: 'new mail' | 'queued mail'): boolean {
    const taken = { size: this.#taken.size + size, growth: this.#taken.growth + growth };
    if (!(use === 'new mail' ? this.#suffices(taken) : taken.growth + SLACK <= this.#length - this.#reached))
      return false;
    this.#taken = taken;
    return true;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #suffices({ size, growth }: Need): boolean {
    if (this.#capacity !== Number.POSITIVE_INFINITY && this.#countUsed() + size > this.#capacity) return false;
    const left = this.#length - this.#reached - growth - SLACK;
    if (left >= this.#reserve) return true;
    // The disk is full, and maybe by this file: then what has left it makes room in its midst.
    return left >= this.#reserve / 2 && this.#reached - this.#countUsed() >= growth + this.#reserve;
  }

  #countUsed(): number {
    if (this.#used !== undefined) return this.#used;
    let pages = 0;
    for (const { database } of Object.values(this.#spool.tables)) {
      const { treeBranchPageCount, treeLeafPageCount, overflowPages } = statistics(database);
      pages += treeBranchPageCount + treeLeafPageCount + overflowPages;
    }
    this.#used = pages * this.#pageSize;
    return this.#used;
  }

  /** Writes, since a hole in a file is no room; as far as the disk goes. */
  async #extend(length: number): Promise<void> {
    try {
      while (this.#length < length) {
        const step = Math.min(ZEROS.length, length - this.#length);
        const { bytesWritten } = await this.#file.write(ZEROS, 0, step, this.#length);
        this.#length += bytesWritten;
        if (bytesWritten < step) return;
      }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG') {
        throw new Failure('storage', 'The file of the spool cannot be made longer', cause);
      }
    }
  }
}

const ZEROS = Buffer.alloc(MEBIBYTE);
