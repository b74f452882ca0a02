import type { AcceptedRecipient, TextCommand, Transaction } from '@posthorn/smtp/protocol/transaction';
import type { Draft } from './queue-store.ts';

/** What is kept of a transaction so that another session can go on with it (RFC 1845 §3). */
export interface Checkpoint extends Pick<Transaction, 'verb' | 'reversePath' | 'mail'> {
  readonly recipients: readonly AcceptedRecipient[];
  /** What the text comes by. */
  readonly by: TextCommand;
  /** Octets that are stored beyond those of the client's text: the trace, and what its header was completed with. */
  readonly prefix: number;
  /** Whom it is kept for: one client has only a part of the room. Absent: it counts for nobody. */
  readonly client?: string;
}

/** A transaction that is kept. */
export interface KeptTransaction {
  readonly checkpoint: Checkpoint;
  /** The queue id of the message. */
  readonly id: string;
  /**
   * Octets of the client's text from which on it can go on, all before them durable: the beginning of a line, or in chunks
   * any octet (RFC 1845 §3).
   */
  readonly offset: number;
  /** Whether the message is committed already. */
  readonly isComplete: boolean;
}

/** A draft that outlives its session. */
export interface KeptDraft extends Draft {
  /** What is stored of it from earlier sessions, in pieces. */
  stored(): AsyncIterable<Buffer>;
  /**
   * Closes it and keeps what is written, durable when it resolves; without text nothing is kept. Rejects with Failure `full`
   * or `storage`, and then nothing is.
   */
  suspend(): Promise<void>;
}

/** Says what is to be kept beside the text; asked when some of it is stored. Undefined: there is nothing to go on with yet. */
export type Describe = () => Checkpoint | undefined;

/**
 * What is kept at the most; the oldest of the client that has most goes first, so that none can crowd the others out
 * (RFC 1845 §3).
 */
export interface CheckpointLimits {
  /** Milliseconds since it was last touched. */
  readonly time: number;
  /** Transactions. */
  readonly count: number;
  /** Octets of texts that are not complete. */
  readonly octets: number;
}

/** Keeps transactions beyond their sessions, by keys of up to 100 letters and digits (RFC 1845 §3). */
export interface CheckpointStore {
  /** What is kept under a key, if its time is not over. Throws Failure `storage`. */
  get(key: string): KeptTransaction | undefined;
  /** A new draft that is kept under a key, under which nothing is kept. */
  begin(key: string, describe: Describe): KeptDraft;
  /** Opens the draft of a kept transaction that is not complete, to be written on from its offset. */
  resume(key: string, kept: KeptTransaction, describe: Describe): Promise<KeptDraft>;
  /** Forgets what is kept under a key; a committed message stays in the queue. */
  remove(key: string): Promise<void>;
  /** Forgets all whose time is over. */
  sweep(): Promise<void>;
}
