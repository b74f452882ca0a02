import type { Reply, Status } from '@posthorn/smtp/reply/reply';
import type { NewMessage } from './queue-store.ts';

/** What one attempt did for one recipient (RFC 5321 §4.2.1). */
export interface Outcome {
  /** delivered: done here or by the next hop; deferred: try again; failed: never. */
  readonly kind: 'delivered' | 'deferred' | 'failed';
  /** From the far side's reply if it gave one, else the code of the situation (RFC 3463). */
  readonly status: Status;
  /** When it was known, in milliseconds since the epoch. */
  readonly at: number;
  /** The far side's reply, when one decided. */
  readonly reply?: Reply;
  /** Name (or address literal) of the host that answered or did not. */
  readonly remoteHost?: string;
  /** What happened in words, when no reply decided it; one line of printable ASCII. */
  readonly text?: string;
  /**
   * For delivered only, who owes a report of success: `final`, a mailbox of ours has it; `with-dsn`, the next hop reports
   * itself; `without-dsn`, it knows nothing of reports, so that ours says relayed (RFC 3461 §5.2.2).
   */
  readonly handover?: 'final' | 'with-dsn' | 'without-dsn';
  /** For deferred only: the host may have the beginning of the text. */
  readonly unfinished?: Unfinished;
  /** For delivered by a next hop: it was told the certifier, and knows what becomes of the message (RFC 3885 §3.3). */
  readonly tracked?: true;
  /** For delivered by a next hop: its sender is told so, whatever NOTIFY says but for NEVER (RFC 2852 §4.1.4). */
  readonly traced?: true;
  /** Messages that it causes, such as the copies of a list: stored in the transaction that records it, and not kept with it. */
  readonly causes?: readonly NewMessage[];
}

/** A transaction that broke off in its text, which the host may go on with (RFC 1845 §3). */
export interface Unfinished {
  /** What it was called. */
  readonly name: string;
  /** The address of the host. */
  readonly place: string;
  /** How many recipients it had; all of them were accepted. */
  readonly recipients: number;
}

/** The same outcome for each of `count` recipients. */
export function sameOutcome(count: number, outcome: Outcome): Outcome[] {
  return Array.from({ length: count }, () => outcome);
}
