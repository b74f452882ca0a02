import type { Envelope } from './envelope.ts';
import type { RecipientState } from './queue-store.ts';

/** What is known of a tracked message; its envelope as far as an answer needs it. */
export interface TrackedMessage {
  readonly envelope: Pick<Envelope, 'id' | 'reversePath' | 'recipients' | 'receivedAt' | 'envelopeId'>;
  /** By index of the recipient. */
  readonly recipients: readonly RecipientState[];
  /** Whether it is still in the queue. */
  readonly isQueued: boolean;
}

/** Which message, and what shows that its sender asks (RFC 3887 §4). */
export interface TrackQuery {
  readonly envelopeId: string;
  readonly secret: Buffer;
}

/**
 * Keeps what became of tracked messages beyond their time in the queue, each for its own time: `Envelope.tracking`. It is
 * written in the transactions that commit and settle them (RFC 3885 §3.1).
 */
export interface TrackStore {
  /** The messages with this ENVID and a certifier of this secret, oldest first, at most 20; none for a wrong secret. */
  find(query: TrackQuery): readonly TrackedMessage[];
  /** Forgets messages whose time is over and that are not in the queue, some at a time; false when none are left. */
  sweep(now: number): Promise<boolean>;
  /** Messages that are known, at most as many as the store was opened for, but for what is in the queue. */
  count(): number;
}
