import { Failure } from '@posthorn/smtp/failure/failure';
import type { KeptDraft } from '../queue/checkpoint.ts';
import type { Envelope } from '../queue/envelope.ts';
import type { Content, NewMessage } from '../queue/queue-store.ts';
import { contentInHand, contentOfParts, partKey, readPart } from './content.ts';
import type { DraftKeeping, DraftStore } from './draft-store.ts';
import { PartBuffer } from './part-buffer.ts';
import { composeRecord, PART_SIZE } from './record.ts';
import type { Write } from './table.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A message on its way in. Up to one part of it waits in memory and is written with its envelope in one record. Of a
 * larger message each full part is written as it comes: one is on its way to the disk while the next one fills, and who
 * is faster than that has to wait.
 */
export class SpoolDraft implements KeptDraft {
  readonly id: string;
  readonly #store: DraftStore;
  readonly #keeping: DraftKeeping | undefined;
  #waiting = new PartBuffer();
  #size = 0;
  /** What goes before all else. */
  #front: Buffer = NOTHING;
  #parts = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #end: 'open' | 'committing' | 'committed' | 'suspended' | 'discarded' = 'open';
  /** Whether there is a record on disk that keeps it. */
  #isKept = false;
  #swept: Promise<void> | undefined;
  /** The commit or suspension under way, or the last one. */
  #closing: Promise<unknown> | undefined;

  constructor(id: string, store: DraftStore, keeping?: DraftKeeping) {
    this.id = id;
    this.#store = store;
    this.#keeping = keeping;
    if (keeping?.stored === undefined) return;
    const { parts, tail } = keeping.stored;
    this.#isKept = true;
    this.#parts = parts;
    this.#size = parts * PART_SIZE + tail.length;
    if (tail.length > 0) this.#waiting.push(tail);
  }

  get size(): number {
    return this.#size;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end === 'suspended') throw new Failure('aborted', 'The draft is kept for another session');
    if (this.#end !== 'open') throw new Error('The draft is closed');
    if (bytes.length === 0) return undefined;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (this.#waiting.size <= PART_SIZE) return undefined;
    this.#startWriting();
    return this.#waiting.size > PART_SIZE ? this.#writing : undefined;
  }

  get isInHand(): boolean {
    return this.#parts === 0 && this.#writing === undefined && this.#keeping === undefined;
  }

  async *read(): AsyncIterable<Buffer> {
    await this.written();
    if (this.#front.length > 0) yield this.#front;
    for (let part = 0; part < this.#parts; part += 1) yield readPart(this.#store.backend.tables.parts, this.id, part);
    if (this.#waiting.size > 0) yield this.#waiting.whole;
  }

  prepend(bytes: Buffer): void {
    if (this.#end !== 'open') throw new Error('The draft is closed');
    this.#front = Buffer.concat([bytes, this.#front]);
    this.#size += bytes.length;
  }

  commit(envelope: Envelope, reports: readonly NewMessage[] = []): Promise<Content> {
    const committed = this.#commitOrFail(envelope, reports);
    this.#closing = committed;
    return committed;
  }

  async #commitOrFail(envelope: Envelope, reports: readonly NewMessage[]): Promise<Content> {
    this.#begin(envelope);
    try {
      if (this.#writing !== undefined || this.#failure !== undefined) await this.written();
      const content = await this.#commit(envelope, reports);
      this.#end = 'committed';
      return content;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#waiting.clear();
    }
  }

  /** Waits until all of its full parts are on disk; throws what kept one from it. */
  async written(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The writes that commit it, all of it written, within a transaction of others; `end` says what became of that. */
  plan(envelope: Envelope): { readonly writes: readonly Write[]; end(isCommitted: boolean): void } {
    this.#begin(envelope);
    const [waiting, parts] = [this.#waiting.copy(), this.#parts];
    const { writes } = this.#planRecord(envelope);
    const end = (isCommitted: boolean) => {
      this.#end = isCommitted ? 'committed' : 'open';
      if (isCommitted) this.#waiting.clear();
      else [this.#waiting, this.#parts] = [waiting, parts];
    };
    return { writes, end };
  }

  async *stored(): AsyncIterable<Buffer> {
    const { parts = 0, tail } = this.#keeping?.stored ?? {};
    for (let part = 0; part < parts; part += 1) yield readPart(this.#store.backend.tables.parts, this.id, part);
    if (tail !== undefined && tail.length > 0) yield tail;
  }

  async suspend(): Promise<void> {
    if (this.#end === 'open') {
      this.#end = 'suspended';
      this.#closing = this.#suspendOrFail();
    }
    // A commit that fails is told to whoever asked for it.
    if (this.#end === 'suspended') await this.#closing;
    else await this.#closed();
    await this.#swept;
  }

  /** Waits for a commit, and for its being taken back. */
  async #closed(): Promise<void> {
    for (let closing: unknown; closing !== this.#closing; ) {
      closing = this.#closing;
      await this.#closing?.catch(() => undefined);
    }
  }

  async #suspendOrFail(): Promise<void> {
    try {
      await this.written();
      const record = this.#keeping?.plan(this.#size, false);
      if (record === undefined) this.#fail(new Failure('aborted', 'There is nothing to be kept'));
      else await this.#suspend(record);
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#waiting.clear();
      await this.#swept;
    }
  }

  async discard(): Promise<void> {
    if (this.#end === 'open') {
      this.#end = 'discarded';
      this.#waiting.clear();
      this.#fail(new Failure('aborted', 'The draft was discarded'));
    }
    await this.#swept;
  }

  takeBack(): Promise<void> {
    if (this.#end !== 'committed') throw new Error('The draft is not committed');
    const removed = this.#takeBack();
    this.#closing = removed;
    return removed;
  }

  async #takeBack(): Promise<void> {
    const { removal, closed } = this.#keeping ?? {};
    await this.#store.remove(this.id, removal === undefined ? [] : [removal]);
    closed?.(undefined);
  }

  #begin(envelope: Envelope): void {
    if (this.#end !== 'open') throw new Error('The draft is closed');
    if (envelope.id !== this.id || envelope.size !== this.#size) throw new Error('The envelope is of another message');
    this.#end = 'committing';
  }

  #planRecord(envelope: Envelope) {
    const { id } = this;
    const writes: Write[] = [];
    const stored = this.#keeping?.stored;
    if (this.#parts > 0 && this.#waiting.size > 0) writes.push(this.#takePart());
    if (this.#front.length > 0) writes.push(...this.#placeFront());
    if (this.#parts > 0 || stored !== undefined) writes.push({ table: 'drafts', key: id });
    if (this.#parts === 0 && stored !== undefined) writes.push({ table: 'parts', key: partKey(id, 0) });
    const record = composeRecord(envelope, this.#parts, this.#waiting);
    writes.push({ table: 'messages', key: id, value: record.bytes });
    if (envelope.tracking !== undefined) writes.push(...this.#store.track(envelope));
    return { writes, record };
  }

  /** The first part is longer then; where there is none, the front is the first of what waits. */
  #placeFront(): Write[] {
    if (this.#parts > 0) {
      const first = readPart(this.#store.backend.tables.parts, this.id, 0);
      return [{ table: 'parts', key: partKey(this.id, 0), value: Buffer.concat([this.#front, first]) }];
    }
    this.#waiting.prepend(this.#front);
    return [];
  }

  async #commit(envelope: Envelope, reports: readonly NewMessage[]): Promise<Content> {
    const { backend } = this.#store;
    const { id } = this;
    const { writes, record } = this.#planRecord(envelope);
    const kept = this.#keeping?.plan(this.#size - this.#front.length, true);
    if (kept !== undefined) writes.push(kept);
    this.#store.lease(id, { fresh: true, parts: this.#parts });
    try {
      if (reports.length === 0) await backend.commit(writes, 'new mail');
      else await this.#store.addWith(writes, reports);
    } catch (error) {
      this.#store.unlease(id);
      throw error;
    }
    this.#keeping?.closed(kept?.value);
    if (this.#parts === 0) return contentInHand(record.content);
    return contentOfParts(backend.tables.parts, { id, count: this.#parts, size: this.#size });
  }

  async #suspend(record: Write): Promise<void> {
    const writes: Write[] = [record, { table: 'drafts', key: this.id, value: NOTHING }];
    this.#isKept = true;
    if (this.#waiting.size > 0) writes.push(this.#takePart());
    await this.#store.backend.commit(writes, 'new mail');
    this.#keeping?.closed(record.value);
  }

  #startWriting(): void {
    this.#writing ??= this.#writeParts();
    // Who does not wait for it is told by the next call.
    this.#writing.catch(() => undefined);
  }

  async #writeParts(): Promise<void> {
    try {
      while (this.#waiting.size > PART_SIZE && this.#failure === undefined) {
        const writes: Write[] = this.#parts === 0 ? [{ table: 'drafts', key: this.id, value: NOTHING }] : [];
        // What was promised to be kept must outlive a crash, too.
        const record = this.#isKept ? undefined : this.#keeping?.plan(this.#size, false);
        if (record !== undefined) writes.push(record);
        this.#isKept ||= record !== undefined;
        writes.push(this.#takePart());
        await this.#store.backend.commit(writes, 'new mail');
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  #takePart(): Write {
    return { table: 'parts', key: partKey(this.id, this.#parts++), value: this.#waiting.takePart() };
  }

  /** Nothing of it is kept: its parts are removed, behind those that are still on their way. */
  #fail(failure: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#swept = this.#sweep(this.#writing).catch(() => undefined);
  }

  async #sweep(writing: Promise<void> | undefined): Promise<void> {
    await writing?.catch(() => undefined);
    const { stored, removal, closed } = this.#keeping ?? {};
    const parts = Math.max(this.#parts, (stored?.parts ?? -1) + 1);
    const writes: Write[] = removal !== undefined && this.#isKept ? [removal] : [];
    if (parts > 0) writes.push({ table: 'drafts', key: this.id });
    for (let part = 0; part < parts; part++) writes.push({ table: 'parts', key: partKey(this.id, part) });
    if (writes.length > 0) await this.#store.persist(writes);
    closed?.(undefined);
  }
}
