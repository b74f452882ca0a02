import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { Session } from '@posthorn/smtp/server';
import type { Log } from './log.ts';

/** Tells of what a mail program did wrong, in one line for the whole session, so that its owner can be helped (RFC 6409 §6.4). */
export function logFaults(log: Log, { role, faults, lastFault, login, clientAddress }: Session): void {
  if (faults === 0 || lastFault === undefined || !isSubmission(role)) return;
  const last = `${lastFault.code} ${lastFault.lines.join(' ')}`;
  log.warn({ client: clientAddress, login, faults, last }, 'the client was refused');
}
