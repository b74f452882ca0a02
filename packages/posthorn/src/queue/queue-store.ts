import type { CheckpointStore } from './checkpoint.ts';
import type { Envelope } from './envelope.ts';
import type { Outcome } from './outcome.ts';
import type { TrackStore } from './track-store.ts';

/** The stored text of a message, readable as often as needed. */
export interface Content {
  /** Octets in all. */
  readonly size: number;
  /** The whole text when it is in hand; large messages have none. */
  readonly bytes?: Buffer;
  /** The text from its beginning, in pieces of at most 256 KiB. */
  stream(): AsyncIterable<Buffer>;
}

/** How far one recipient is (see Envelope.recipients; same index). */
export interface RecipientState {
  readonly kind: 'pending' | 'delivered' | 'failed';
  /** Attempts made so far. */
  readonly attempts: number;
  /** The last outcome, if any attempt was made. */
  readonly last?: Outcome;
  /** When its next attempt is due, where that is later than what is due of the message first; as there. */
  readonly due?: number;
}

/** All that changes about a queued message. */
export interface MessageState {
  /** When the next attempt is due, in milliseconds since the epoch. */
  readonly due: number;
  readonly held: boolean;
  /** When a delay report was last written, if one was. */
  readonly delayReportedAt?: number;
  /** When it was reported that the time of BY is over, if it was (RFC 2852 §4.1.3). */
  readonly overdueReportedAt?: number;
  readonly recipients: readonly RecipientState[];
}

/** A message the queue answers for. */
export interface QueuedMessage {
  readonly envelope: Envelope;
  readonly state: MessageState;
}

/** A message that Posthorn itself writes, such as a report. */
export interface NewMessage {
  readonly envelope: Envelope;
  /** The text, or a draft of the same store into which all of it was written: for what is too large for the memory. */
  readonly content: Buffer | Draft;
  /** The message is left out where another with this key was stored and `until`, in milliseconds since the epoch, is not over. */
  readonly once?: { readonly key: string; readonly until: number };
}

/** What becomes of a message after an attempt: all of it in one transaction. */
export interface Settlement {
  /** The new state, or `done`: the message leaves the store. */
  readonly state: MessageState | 'done';
  /** Reports that this settlement causes: committed with it, or not at all. */
  readonly reports: readonly NewMessage[];
  /** What became of a tracked message that is `done`: kept for its time. Without it, nothing is known of it any more. */
  readonly tracked?: { readonly envelope: Envelope; readonly recipients: readonly RecipientState[] };
}

/** A message on its way in: not ours yet (RFC 5321 §6.1). */
export interface Draft {
  readonly id: string;
  /** Octets written. */
  readonly size: number;
  /** Appends text; a promise when the caller has to wait for the store. Throws Failure `full` or `storage`. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** Whether nothing of it is on disk: another draft with its id may then take its place. */
  readonly isInHand: boolean;
  /** What was written so far, in pieces of at most 256 KiB; nothing may be written meanwhile. */
  read(): AsyncIterable<Buffer>;
  /** Puts text before all that was written, which is known only once all of that came; it becomes durable with the commit. */
  prepend(bytes: Buffer): void;
  /**
   * Makes content and envelope durable, and with them the reports that its acceptance causes: when it resolves,
   * responsibility is taken. The message is leased to the caller until `settle` or `release`. Rejects with Failure `full` or
   * `storage`, and then nothing of it is kept.
   */
  commit(envelope: Envelope, reports?: readonly NewMessage[]): Promise<Content>;
  /** Forgets it all; does nothing after a commit. */
  discard(): Promise<void>;
  /**
   * Takes a commit back before the message is in anybody's hands: it goes in one transaction with all that would let a client
   * believe that it was taken (RFC 1845 §3).
   */
  takeBack(): Promise<void>;
}

/** Which messages a listing wants. */
export interface QueueQuery {
  readonly sender?: string;
  readonly recipient?: string;
  readonly domain?: string;
  readonly held?: boolean;
  /** At most so many; default 1,000. */
  readonly limit?: number;
  /** Only ids behind this one: for paging. */
  readonly after?: string;
}

/** A domain whose mail is wanted. */
export interface DomainQuery {
  /** In the form that domains are compared in: lower case, A-labels. */
  readonly domain: string;
  /** Whether all domains below it are wanted, too. */
  readonly below?: boolean;
}

/** Keeps messages from commit to the last settlement (architecture: the spool). */
export interface QueueStore extends AsyncDisposable {
  /** A fresh queue id: unique in this store, sorts by time. */
  newId(): string;
  draft(id?: string): Draft;
  /** Transactions that another session may go on with. */
  readonly checkpoints: CheckpointStore;
  /** What became of tracked messages. */
  readonly tracks: TrackStore;
  /** Commits ready-made messages at once; durable when it resolves. */
  add(messages: readonly NewMessage[]): Promise<void>;
  /**
   * Takes up to `limit` messages that are due, neither held nor leased; leased until `until`. Oldest due first; of those with
   * another priority than 0, once an attempt was recorded or a time was given to them, the higher first, though what is
   * oldest never waits for more than a few of them (RFC 6710 §5.1).
   */
  claim(request: { readonly now: number; readonly limit: number; readonly until: number }): Promise<QueuedMessage[]>;
  /**
   * The ids of the messages that wait for a recipient in the domain, those on hold left out: of which an attempt was
   * recorded, or that were given a time. What comes or goes meanwhile may be among them or not. Not all are read at once.
   */
  waitingFor(query: DomainQuery): Iterable<string>;
  /** Takes this message, whether it is due or not; undefined when it is gone, held or leased. */
  claimOne(id: string, request: { readonly now: number; readonly until: number }): Promise<QueuedMessage | undefined>;
  /** Extends a lease. */
  renew(id: string, until: number): void;
  /** Gives a leased message back; it is due again at `due` (default: as its state says). */
  release(id: string, due?: number): Promise<void>;
  /** The content of a queued message. Rejects with Failure `storage` when it is not there. */
  content(id: string): Promise<Content>;
  get(id: string): Promise<QueuedMessage | undefined>;
  list(query?: QueueQuery): AsyncIterable<QueuedMessage>;
  /** Makes an attempt's result durable and ends the lease; one transaction, resolves when synced. */
  settle(id: string, settlement: Settlement): Promise<void>;
  /** Like `settle` with a state, but the lease goes on: for what is known while other recipients are still under way. */
  record(id: string, settlement: Settlement): Promise<void>;
  /**
   * Changes state from outside (hold, release, retry, delete as `done`): applies `change` to the present state in one
   * transaction. Resolves false when the message is gone or leased.
   */
  change(id: string, change: (message: QueuedMessage) => Settlement): Promise<boolean>;
  /** When the earliest message that is neither held nor leased is due; undefined when there is none. */
  nextDue(): number | undefined;
  /** Messages in the store, leased ones included. */
  count(): number;
  close(): Promise<void>;
}
