import type { Outcome } from './outcome.ts';
import type { QueuedMessage } from './queue-store.ts';

const reason = 'The time for its delivery is over';

/** Whether the time to deliver in is over, and something is to be done about it yet (RFC 2852 §4.1.3). */
export function isOverdue({ envelope, state }: QueuedMessage, now: number): boolean {
  const { deliverBy } = envelope;
  if (deliverBy === undefined || now < deliverBy.until) return false;
  return deliverBy.mode === 'R' || state.overdueReportedAt === undefined;
}

/**
 * Whether that is to be done before any further attempt. What came here too late already is tried once first: its sender
 * knows, or was told where it became so.
 */
export function comesBeforeAttempt(message: QueuedMessage, now: number): boolean {
  if (!isOverdue(message, now)) return false;
  const { envelope, state } = message;
  return envelope.deliverBy?.mode === 'R' || state.recipients.some(({ attempts }) => attempts > 0);
}

/** What it means for a recipient that the time is over: `failed` in mode R, else `deferred` (RFC 2852 §4.1.3). */
export function overdueOutcome(kind: 'failed' | 'deferred', last: Outcome | undefined, now: number): Outcome {
  const said = last?.reply === undefined ? last?.text : `${last.reply.code} ${last.reply.lines.join(' ')}`;
  return {
    kind,
    status: kind === 'failed' ? '5.4.7' : '4.4.7',
    at: last?.at ?? now,
    text: said === undefined ? reason : `${reason}: ${said}`.replace(/[^ -~]/g, '?').slice(0, 400),
    ...(last?.remoteHost === undefined ? {} : { remoteHost: last.remoteHost }),
  };
}

/** The next time at which something is due for the sake of the time to deliver in; `otherwise` when nothing is (RFC 2852 §4.1.3). */
export function nextDeadline({ envelope, state }: QueuedMessage, now: number, otherwise: number): number {
  const { deliverBy } = envelope;
  if (deliverBy === undefined || now >= deliverBy.until || state.overdueReportedAt !== undefined) return otherwise;
  return Math.min(otherwise, deliverBy.until);
}
