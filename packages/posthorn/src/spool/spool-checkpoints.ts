import type { CheckpointLimits, CheckpointStore, Describe, KeptDraft, KeptTransaction } from '../queue/checkpoint.ts';
import { type CheckpointRecord, parseCheckpoint } from './checkpoint-record.ts';
import { partRange, readPart } from './content.ts';
import type { DraftKeeping, DraftStore } from './draft-store.ts';
import { keysTooMany } from './keys-too-many.ts';
import { PART_SIZE } from './record.ts';
import { sweepDraft } from './recover.ts';
import { SpoolDraft } from './spool-draft.ts';
import type { Backend, Write } from './table.ts';
import { lastLineEnd, lastWholeOctet, type StoredParts } from './text-offset.ts';

/** What is known of a record without reading it. */
interface Entry {
  readonly id: string;
  readonly touchedAt: number;
  /** Octets that it takes beside the queue. */
  readonly octets: number;
  readonly isComplete: boolean;
  readonly client: string | undefined;
}

/** What the checkpoints of a spool work with. */
export interface CheckpointParts {
  readonly backend: Backend;
  readonly store: DraftStore;
  readonly newId: () => string;
  readonly now: () => number;
  readonly limits: CheckpointLimits;
}

const hour = 3_600_000;
const MOST_PARTS = 2 ** 20;
const MOST_RECORDS = 2 ** 20;

/** At least two days are asked for (RFC 1845 §3). */
export const defaultCheckpointLimits: CheckpointLimits = { time: 48 * hour, count: 1000, octets: 2 ** 30 };

/** Keeps transactions in the tables of a spool: a record each, beside the parts of its draft or the committed message. */
export class SpoolCheckpoints implements CheckpointStore {
  readonly #parts: CheckpointParts;
  /** Oldest first; what a session has open is in it too once it has a record. */
  #entries = new Map<string, Entry>();
  /** Keys whose drafts are open. */
  readonly #open = new Set<string>();

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    for (const key of parts.backend.tables.checkpoints.keys({ start: '', limit: MOST_RECORDS })) {
      const record = this.#read(key);
      if (record !== undefined) this.#enter(key, record);
    }
    const byAge = [...this.#entries].sort(([, one], [, other]) => one.touchedAt - other.touchedAt);
    this.#entries = new Map(byAge);
  }

  get(key: string): KeptTransaction | undefined {
    const entry = this.#entries.get(key);
    const record = entry === undefined || this.#isOver(entry) ? undefined : this.#read(key);
    if (record === undefined) return undefined;
    const { id, checkpoint, complete } = record;
    if (complete !== undefined) return { id, checkpoint, offset: complete, isComplete: true };
    const offset = this.#textEnd(record) - checkpoint.prefix;
    return offset > 0 ? { id, checkpoint, offset, isComplete: false } : undefined;
  }

  begin(key: string, describe: Describe): KeptDraft {
    const id = this.#parts.newId();
    return this.#draft(key, id, describe);
  }

  async resume(key: string, { id, checkpoint, offset }: KeptTransaction, describe: Describe): Promise<KeptDraft> {
    const { tables } = this.#parts.backend;
    const size = checkpoint.prefix + offset;
    const parts = Math.floor(size / PART_SIZE);
    const rest = size % PART_SIZE;
    // A copy: what is read belongs to the file, and is going to be replaced there.
    const tail = Buffer.from(rest === 0 ? Buffer.alloc(0) : readPart(tables.parts, id, parts).subarray(0, rest));
    await this.#dropParts(id, rest === 0 ? parts : parts + 1);
    return this.#draft(key, id, describe, { parts, tail });
  }

  async remove(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const { store, backend } = this.#parts;
    // First the record: a draft without one is swept at the next start.
    await store.persist([{ table: 'checkpoints', key }]);
    if (!entry.isComplete) await sweepDraft(backend, entry.id, (writes) => store.persist(writes));
  }

  async sweep(): Promise<void> {
    for (const [key, entry] of [...this.#entries]) if (this.#isOver(entry)) await this.#evict(key);
  }

  #draft(key: string, id: string, describe: Describe, stored?: DraftKeeping['stored']): KeptDraft {
    this.#open.add(key);
    const removal: Write = { table: 'checkpoints', key };
    const put = (record: CheckpointRecord): Write => ({ ...removal, value: Buffer.from(JSON.stringify(record)) });
    const keeping: DraftKeeping = {
      ...(stored === undefined ? {} : { stored }),
      removal,
      plan: (size, isComplete) => {
        const checkpoint = describe();
        if (checkpoint === undefined) return undefined;
        const about = { id, touchedAt: this.#parts.now(), checkpoint };
        return put(isComplete ? { ...about, complete: size - checkpoint.prefix } : about);
      },
      closed: (record) => {
        this.#open.delete(key);
        if (record === undefined) this.#entries.delete(key);
        else this.#enter(key, parseCheckpoint(record));
        // What cannot go now goes with the next.
        void this.#makeRoom().catch(() => undefined);
      },
    };
    return new SpoolDraft(id, this.#parts.store, keeping);
  }

  #enter(key: string, { id, touchedAt, complete, checkpoint: { client } }: CheckpointRecord): void {
    this.#entries.delete(key);
    const isComplete = complete !== undefined;
    const octets = isComplete ? 0 : this.#countParts(id).count * PART_SIZE;
    this.#entries.set(key, { id, touchedAt, octets, isComplete, client });
  }

  #read(key: string): CheckpointRecord | undefined {
    const bytes = this.#parts.backend.tables.checkpoints.get(key);
    return bytes === undefined ? undefined : parseCheckpoint(bytes);
  }

  #isOver({ touchedAt }: Entry): boolean {
    return this.#parts.now() - touchedAt > this.#parts.limits.time;
  }

  /** Octets of the draft up to where its text can go on. */
  #textEnd({ id, checkpoint }: CheckpointRecord): number {
    const { parts } = this.#parts.backend.tables;
    const stored = this.#countParts(id);
    if (checkpoint.by === 'DATA') return lastLineEnd(parts, stored);
    return checkpoint.mail.body === 'BINARYMIME' ? stored.size : lastWholeOctet(parts, stored);
  }

  #countParts(id: string): StoredParts {
    const { parts } = this.#parts.backend.tables;
    const count = parts.keys({ ...partRange(id), limit: MOST_PARTS }).length;
    return { id, count, size: count === 0 ? 0 : (count - 1) * PART_SIZE + readPart(parts, id, count - 1).length };
  }

  async #dropParts(id: string, from: number): Promise<void> {
    const keys = this.#parts.backend.tables.parts.keys({ ...partRange(id, from), limit: MOST_PARTS });
    if (keys.length > 0) await this.#parts.store.persist(keys.map((key) => ({ table: 'parts', key })));
  }

  async #makeRoom(): Promise<void> {
    for (const key of keysTooMany(this.#entries, this.#parts.limits)) await this.#evict(key);
  }

  /** What a session has open is its own affair. */
  async #evict(key: string): Promise<boolean> {
    if (this.#open.has(key)) return false;
    await this.remove(key);
    return true;
  }
}
