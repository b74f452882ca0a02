/** When a deferred message is tried again, and for how long; all in milliseconds (RFC 5321 §4.5.4.1). */
export interface RetryPolicy {
  /** The wait behind the first, second, … attempt; the last one repeats. At least one. */
  readonly intervals: readonly number[];
  /** The share of a wait that chance adds or takes, 0 to 1. */
  readonly jitter: number;
  /** How long an attempt may still be made after the message came. */
  readonly lifetime: number;
  /** The same for a message with the null reverse-path. */
  readonly reportLifetime: number;
  /** When the sender is told of a delay (RFC 3461 §5.2.5). */
  readonly delayWarningAfter: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Two tries in the first hour, then every two to three hours, for five days (RFC 5321 §4.5.4.1). */
export const defaultRetryPolicy: RetryPolicy = {
  intervals: [30 * minute, 30 * minute, 2 * hour, 3 * hour],
  jitter: 0.1,
  lifetime: 5 * day,
  reportLifetime: 2 * day,
  delayWarningAfter: 4 * hour,
};

/** The wait behind attempt number `attempts`, 1 or more; `chance` gives 0 up to 1 (RFC 5321 §4.5.4.1). */
export function nextWait(policy: RetryPolicy, attempts: number, chance: () => number): number {
  const index = Math.min(Math.max(attempts, 1), policy.intervals.length) - 1;
  const interval = policy.intervals[index] as number;
  return Math.round(interval * (1 + policy.jitter * (2 * chance() - 1)));
}

/** When the time of a message in the queue begins: a message that is held comes of age with its release (RFC 4865 §4.2). */
export function startOf({ receivedAt, heldUntil }: { receivedAt: number; heldUntil?: number }): number {
  return heldUntil === undefined || heldUntil < receivedAt ? receivedAt : heldUntil;
}

/** When a message's time in the queue is over, in milliseconds since the epoch (RFC 5321 §4.5.4.1). */
export function expiryOf(
  policy: RetryPolicy,
  envelope: { receivedAt: number; heldUntil?: number; reversePath: string },
): number {
  return startOf(envelope) + (envelope.reversePath === '' ? policy.reportLifetime : policy.lifetime);
}
