import type { IncomingText } from '@posthorn/smtp/server';
import type { Draft } from '../queue/queue-store.ts';

/** What one message comes in through. */
export interface Intake {
  readonly draft: Draft;
  readonly text: IncomingText;
  /** Whether an earlier session left the beginning in the draft, trace and header among it (RFC 1845 §3). */
  readonly isResumed: boolean;
  /** What it left, in pieces. */
  stored(): AsyncIterable<Buffer>;
  /** Is told that the message is committed. */
  committed(): void;
  /** Ends it without a commit, for this reason. */
  end(error: unknown): Promise<void>;
}

/** The intake of a message that comes in one session. */
export function plainIntake(draft: Draft, text: IncomingText): Intake {
  return { draft, text, isResumed: false, stored: nothing, committed() {}, end: () => draft.discard() };
}

async function* nothing(): AsyncIterable<Buffer> {}
