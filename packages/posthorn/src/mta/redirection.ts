import type { Redirection } from '../agents/resend.ts';
import type { Directory } from '../directory/directory.ts';
import { copiesOf } from './expand-recipients.ts';

/** Whom mail for an alias with an owner, or for who moved in confidence, is sent on to (RFC 3461 §5.2.7.4). */
export function redirectionOf(directory: Directory, address: string): Redirection | undefined {
  const resending = directory.resendingOf(address);
  if (resending === undefined) return undefined;
  const { owner, expansion } = resending;
  return { owner, recipients: expansion.kind === 'loop' ? [] : copiesOf(expansion) };
}
