import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Entry } from '../directory/directory.ts';

/**
 * What RCPT and VRFY say of somebody who moved: 251 or 551 with the new address to those who may know it, 550 to others;
 * undefined: the usual 250, from which nobody learns anything (RFC 5321 §3.4).
 */
export function moved(entry: Extract<Entry, { kind: 'forward' }>, mayLearn: boolean): Reply | undefined {
  const isTold = mayLearn && entry.confidential !== true;
  if (entry.mode === 'refuse') {
    return isTold
      ? reply(551, '5.1.6', `User not local; please try <${entry.to}>`)
      : reply(550, '5.1.6', 'The user has moved');
  }
  if (entry.mode === 'silent' || !isTold) return undefined;
  return reply(251, '2.1.5', `User not local; will forward to <${entry.to}>`);
}
