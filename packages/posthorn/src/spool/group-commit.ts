import { Failure } from '@posthorn/smtp/failure/failure';
import type { Backend, Write } from './table.ts';

/** The most that one transaction takes on, in octets and in writes: what comes later waits for the next. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_WRITES = 10_000;

interface Commit {
  readonly writes: readonly Write[];
  readonly use: 'new mail' | 'queued mail';
  resolve(): void;
  reject(failure: Failure): void;
}

/** What a group commit needs from the store below it. */
export interface Ground {
  /** Writes all in one transaction; resolves when it is on disk, to the failure when it is not. */
  write(writes: Iterable<Write>): Promise<Failure | undefined>;
  /** Whether there is room for these writes of new mail, besides those of the same transaction that had room before. */
  readonly room: { begin(): void; take(writes: readonly Write[]): boolean };
}

/**
 * Puts the commits of many callers into one transaction and one sync: while a transaction is on its way to the disk, the
 * next one gathers. When the disk is full, a transaction is cut in halves until those that fit are in, and only those
 * that do not are refused.
 */
export class GroupCommit {
  readonly #ground: Ground;
  #waiting: Commit[] = [];
  #running: Promise<void> | undefined;
  #closed: Failure | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  commit(writes: readonly Write[], use: Commit['use']): ReturnType<Backend['commit']> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      this.#waiting.push({ writes, use, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Refuses commits from now on; resolves when the last one is done. */
  async close(failure: Failure): Promise<void> {
    this.#closed ??= failure;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // All that arrives in this turn of the event loop goes along.
      await new Promise(setImmediate);
      await this.#write(this.#take());
    }
    this.#running = undefined;
  }

  /** The commits of the next transaction; new mail that has no room is refused here. */
  #take(): Commit[] {
    const taken: Commit[] = [];
    let bytes = 0;
    let count = 0;
    let next = 0;
    this.#ground.room.begin();
    for (; next < this.#waiting.length && bytes < MAX_BYTES && count < MAX_WRITES; next++) {
      const commit = this.#waiting[next] as Commit;
      if (commit.use === 'new mail' && !this.#ground.room.take(commit.writes)) {
        commit.reject(new Failure('full', 'There is no room left in the spool'));
        continue;
      }
      for (const { value } of commit.writes) bytes += value === undefined ? 0 : value.length;
      count += commit.writes.length;
      taken.push(commit);
    }
    this.#waiting = next === this.#waiting.length ? [] : this.#waiting.slice(next);
    return taken;
  }

  async #write(commits: Commit[]): Promise<void> {
    if (commits.length === 0) return;
    const failure = await this.#ground.write(writesOf(commits));
    if (failure === undefined) {
      for (const commit of commits) commit.resolve();
    } else if (failure.kind === 'full' && commits.length > 1) {
      // What is queued goes first: settling it is what makes room.
      const ordered = [...commits.filter(isQueued), ...commits.filter((commit) => !isQueued(commit))];
      const half = ordered.length >> 1;
      await this.#write(ordered.slice(0, half));
      await this.#write(ordered.slice(half));
    } else {
      for (const commit of commits) commit.reject(failure);
    }
  }
}

function isQueued(commit: Commit): boolean {
  return commit.use === 'queued mail';
}

function* writesOf(commits: readonly Commit[]): Iterable<Write> {
  for (const commit of commits) yield* commit.writes;
}
