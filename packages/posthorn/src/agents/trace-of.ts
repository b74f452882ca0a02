import type { Envelope } from '../queue/envelope.ts';

/**
 * Whether the sender is to be told that a host has taken the message: it wants the way traced, or the host knows nothing of
 * the time to deliver in, which is not over yet (RFC 2852 §4.1.4, RFC 2852 §4.1.4.2).
 */
export function isTraced({ deliverBy }: Envelope, offered: ReadonlySet<string>, now: number): boolean {
  if (deliverBy === undefined) return false;
  return deliverBy.trace === true || (!offered.has('DELIVERBY') && now < deliverBy.until);
}
