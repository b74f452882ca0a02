import type { Config } from '../config/schema.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import type { SchedulerLimits } from './scheduler.ts';

const jitter = 0.1;
const hour = 60 * 60_000;
const mostInHand = 20_000;
const mostWaiting = 5_000;

/** The retry policy that a configuration asks for (RFC 5321 §4.5.4.1). */
export function retryPolicyOf({ queue }: Config): RetryPolicy {
  return {
    intervals: queue.retry,
    jitter,
    lifetime: queue.lifetime,
    reportLifetime: queue.reportLifetime,
    delayWarningAfter: queue.delayWarningAfter,
  };
}

/** What bounds the scheduler under a configuration. */
export function schedulerLimitsOf({ queue, limits }: Config): SchedulerLimits {
  return {
    // One more for each connection: its envelope leaves together with the text before it (RFC 2920 §3.1).
    concurrency: 2 * queue.concurrencyPerDestination,
    waiting: mostWaiting,
    messages: mostInHand,
    octets: limits.memory / 2,
    attemptTime: hour,
  };
}
