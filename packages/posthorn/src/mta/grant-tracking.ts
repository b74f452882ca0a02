import type { Tracking } from '@posthorn/smtp/command/parameters';
import type { Config } from '../config/schema.ts';
import type { Envelope } from '../queue/envelope.ts';

/**
 * What the queue is told of MTRK: the time that the sender wants is what hosts behind this one are told, the time that this
 * host keeps to has a bound (RFC 3885 §3.1).
 */
export function grantTracking(
  { certifier, timeout }: Tracking,
  limits: Config['extensions']['tracking'],
  now: number,
): NonNullable<Envelope['tracking']> {
  const until = now + (timeout === undefined ? limits.usual : timeout * 1000);
  return { certifier, until, keptUntil: Math.min(until, now + limits.longest) };
}
