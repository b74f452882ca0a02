import type { Envelope } from '../queue/envelope.ts';

const mostSeconds = 999_999_999;

/**
 * Whether the sender is to be told that a host has taken the message: it wants the way traced, or the host knows nothing of
 * the time to deliver in, which is not over yet (RFC 2852 §4.1.4, RFC 2852 §4.1.4.2).
 */
export function isTraced({ deliverBy }: Envelope, offered: ReadonlySet<string>, now: number): boolean {
  if (deliverBy === undefined) return false;
  return deliverBy.trace === true || (!offered.has('DELIVERBY') && now < deliverBy.until);
}

/** Whether a host that takes the message is told its certifier, and so knows what becomes of it (RFC 3885 §3.3). */
export function isTracked({ tracking }: Envelope, offered: ReadonlySet<string>, now: number): boolean {
  return tracking !== undefined && offered.has('MTRK') && secondsLeft(tracking.until, now) > 0;
}

/** Whole seconds up to a time, as far as a parameter can say them (RFC 3885 §3.1, RFC 2852 §4). */
export function secondsLeft(until: number, now: number): number {
  return Math.min(Math.max(Math.floor((until - now) / 1000), -mostSeconds), mostSeconds);
}
