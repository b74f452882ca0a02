import { Failure } from '@posthorn/smtp/failure/failure';
import type { Need, Room } from './room.ts';
import type { Backend, Write } from './table.ts';

/** The most that one transaction may grow the file by, in octets: what comes later waits for the next. */
const MAX_GROWTH = 16 * 1024 * 1024;

/** The longest that one transaction may take, in milliseconds; a disk that is slower is taken for dead. */
const DEADLINE = 120_000;

/**
 * How long what is known about queued mail waits for new mail to share its sync with, in milliseconds: nobody is kept
 * waiting by it, while a sync of its own would hold up the new mail behind it.
 */
const PATIENCE = 5;

interface Commit {
  readonly writes: readonly Write[];
  readonly use: 'new mail' | 'queued mail';
  readonly need: Need;
  resolve(): void;
  reject(failure: unknown): void;
}

/** What a group commit asks of the room that there is. */
export type CommitRoom = Pick<Room, 'needOf' | 'begin' | 'take'>;

/** Writes all in one transaction; resolves when it is on disk, and rejects with the failure when none of it is. */
export type WriteAll = (writes: Iterable<Write>) => Promise<void>;

/**
 * Puts the commits of many callers into one transaction and one sync: while a transaction is on its way to the disk, the
 * next one gathers.
 */
export class GroupCommit {
  readonly #write: WriteAll;
  readonly #room: CommitRoom;
  #waiting: Commit[] = [];
  #growth = 0;
  #running: Promise<void> | undefined;
  /** Ends the patience, while there is some. */
  #hurry: (() => void) | undefined;
  #closed: Failure | undefined;

  constructor(write: WriteAll, room: CommitRoom) {
    this.#write = write;
    this.#room = room;
  }

  commit(writes: readonly Write[], use: Commit['use']): ReturnType<Backend['commit']> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const need = this.#room.needOf(writes);
      this.#waiting.push({ writes, use, need, resolve, reject });
      this.#growth += need.growth;
      this.#running ??= this.#run();
      if (use === 'new mail') this.#hurry?.();
    });
  }

  /** Refuses commits from now on; resolves when the last one is done, false when it never will be. */
  async close(failure: Failure): Promise<boolean> {
    this.#closed ??= failure;
    this.#hurry?.();
    await this.#running;
    return this.#closed.cause !== expired;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      await this.#runOne();
    }
    this.#running = undefined;
  }

  /** All that arrives in this turn of the event loop goes along; without new mail, all that arrives for a while. */
  async #gather(): Promise<void> {
    if (this.#closed === undefined && this.#waiting.every(({ use }) => use === 'queued mail')) await this.#wait();
    await new Promise(setImmediate);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#hurry = undefined;
        resolve();
      };
      const timer = setTimeout(end, PATIENCE);
      this.#hurry = end;
    });
  }

  async #runOne(): Promise<void> {
    const taken: Commit[] = [];
    try {
      await withDeadline(this.#writeNext(taken));
      for (const commit of taken) commit.resolve();
    } catch (error) {
      this.#fail(taken, error);
    }
  }

  /** Refuses what was in the transaction; and all that waits, if it did not come to one or is never to end. */
  #fail(taken: readonly Commit[], error: unknown): void {
    let failed = taken;
    let failure = error;
    if (error === expired) failure = this.#closed = new Failure('storage', 'The disk of the spool hangs', error);
    if (error === expired || taken.length === 0) {
      failed = [...taken, ...this.#waiting];
      this.#waiting = [];
      this.#growth = 0;
    }
    for (const commit of failed) commit.reject(failure);
  }

  async #writeNext(taken: Commit[]): Promise<void> {
    const first = this.#waiting[0]?.need.growth ?? 0;
    await this.#room.begin(Math.max(first, Math.min(this.#growth, MAX_GROWTH)));
    this.#take(taken);
    if (taken.length > 0) await this.#write(writesOf(taken));
  }

  /** The commits of the next transaction; those that have no room are refused here. */
  #take(taken: Commit[]): void {
    const waiting = this.#waiting;
    let growth = 0;
    let next = 0;
    for (; next < waiting.length; next++) {
      const commit = waiting[next] as Commit;
      const isFirst = taken.length === 0;
      // What does not fit beside others may fit alone.
      if (!isFirst && growth + commit.need.growth > MAX_GROWTH) break;
      if (this.#room.take(commit.need, commit.use)) {
        taken.push(commit);
        growth += commit.need.growth;
      } else if (isFirst) {
        commit.reject(new Failure('full', 'There is no room left in the spool'));
      } else {
        break;
      }
      this.#growth -= commit.need.growth;
    }
    this.#waiting = next === waiting.length ? [] : waiting.slice(next);
  }
}

const expired = new Error('A transaction did not end in time');

async function withDeadline(done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, DEADLINE, expired);
  });
  try {
    await Promise.race([done, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function* writesOf(commits: readonly Commit[]): Iterable<Write> {
  for (const commit of commits) yield* commit.writes;
}
