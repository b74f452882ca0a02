import type { Envelope } from './envelope.ts';
import type { Settlement } from './queue-store.ts';
import type { Settled } from './settle.ts';

/** What is kept of a message that leaves the queue, if it is tracked (RFC 3885 §3.1). */
export function trackedEnd(envelope: Envelope, { state, recipients }: Settled): Pick<Settlement, 'tracked'> {
  return state === 'done' && envelope.tracking !== undefined ? { tracked: { envelope, recipients } } : {};
}
