import type { Envelope } from '../queue/envelope.ts';
import type { NewMessage } from '../queue/queue-store.ts';
import type { Place } from './record.ts';
import type { Backend, Write } from './table.ts';

/** What a draft needs from its store. */
export interface DraftStore {
  readonly backend: Backend;
  /** The message becomes the caller's before anyone can see it. */
  lease(id: string, place: Place): void;
  unlease(id: string): void;
  /** Removes a message that is leased, in one transaction with other writes. */
  remove(id: string, others: readonly Write[]): Promise<void>;
  /** Makes writes durable that must not fail for want of room, however long that takes. */
  persist(writes: readonly Write[]): Promise<void>;
  /** The writes with which a message begins to be tracked. */
  track(envelope: Envelope): readonly Write[];
  /** Stores messages of our own in one transaction with writes. */
  addWith(writes: readonly Write[], messages: readonly NewMessage[]): Promise<void>;
}

/** What makes a draft outlive its session. */
export interface DraftKeeping {
  /** What an earlier session left: so many full parts, and what follows them, in the next part on disk. */
  readonly stored?: { readonly parts: number; readonly tail: Buffer };
  /** The write that keeps a draft of so many octets, committed or not; undefined when there is nothing to go on with. */
  plan(size: number, isCommitted: boolean): Write | undefined;
  /** The write that keeps it no more. */
  readonly removal: Write;
  /** Is told the record that it was closed with; undefined: nothing is kept. */
  closed(record: Buffer | undefined): void;
}
