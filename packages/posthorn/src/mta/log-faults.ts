import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { Session } from '@posthorn/smtp/server';
import type { Log } from './log.ts';

/** Tells of what a mail program did wrong, in one line for the whole session, so that its owner can be helped (RFC 6409 §6.4). */
export function logFaults(log: Log, { role, faults, firstFault, login, clientAddress }: Session): void {
  if (faults === 0 || firstFault === undefined || !isSubmission(role)) return;
  const first = `${firstFault.code} ${firstFault.lines.join(' ')}`;
  log.warn({ client: clientAddress, login, faults, first }, 'the client was refused');
}
