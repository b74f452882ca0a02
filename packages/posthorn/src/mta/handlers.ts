import type { ServerHandlers } from '@posthorn/smtp/server';
import type { Resolver } from '../dns/resolver.ts';
import { admitRecipient } from './admission.ts';
import { checkLogin } from './login-check.ts';
import type { Policy } from './policy.ts';
import { type ReceptionParts, receiveMessage } from './reception.ts';
import { checkSender } from './sender-rights.ts';

/** What the server's handlers work with. */
export interface HandlerParts extends Omit<ReceptionParts, 'directory'> {
  /** The policy in force: a reload replaces it. */
  readonly policy: () => Policy;
  readonly resolver: Resolver;
}

/** What the agent decides in a session (RFC 5321 §3.3). */
export function createHandlers(parts: HandlerParts): ServerHandlers {
  const { policy, resolver } = parts;
  return {
    authenticate: (_session, credentials) => checkLogin(policy().users, credentials),
    mail: (session, transaction) => checkSender(policy().users, session, transaction),
    recipient(session, recipient) {
      return admitRecipient({ ...policy(), resolver }, session, recipient);
    },
    async message(session, transaction, text) {
      const { directory } = policy();
      const answer = await receiveMessage({ ...parts, directory }, session, { transaction, text });
      return session.role === 'lmtp' ? transaction.recipients.map(() => answer) : answer;
    },
  };
}
