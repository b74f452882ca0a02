import type { Envelope, Recipient } from './envelope.ts';
import type { NextHop } from './next-hop.ts';
import type { Outcome } from './outcome.ts';
import type { Content } from './queue-store.ts';

/** One attempt: a message, the recipients that share a next hop, and that next hop. */
export interface DeliveryJob {
  readonly envelope: Envelope;
  /** At most 100, all with the same next hop. */
  readonly recipients: readonly Recipient[];
  readonly content: Content;
  readonly nextHop: NextHop;
  /** The last outcome of each recipient, in the same order; absent when nothing was tried. */
  readonly earlier?: readonly (Outcome | undefined)[];
  /** Told of recipients whose text begins to go out, and of what is to be known of them should this attempt have no end. */
  readonly begun?: (recipients: readonly Recipient[], outcome: Outcome) => void;
  /** Aborted at shutdown and at the attempt's deadline; the agent then ends with what it knows. */
  readonly signal: AbortSignal;
}

/** Delivers or passes on (RFC 5321 §2.3.10). */
export interface DeliveryAgent {
  /** One outcome per recipient of the job, in its order. Rejects only for faults of our own. */
  deliver(job: DeliveryJob): Promise<readonly Outcome[]>;
  /** Forgets which hosts were not reached: one of them has said that it is there (RFC 5321 §4.5.4.1). */
  retryHosts?(): void;
  /** Ends idle connections and waits for running ones. */
  close(): Promise<void>;
}
