import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { AcceptedRecipient, ServerHandlers } from '@posthorn/smtp/server';
import type { Resolver } from '../dns/resolver.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { admitRecipient } from './admission.ts';
import { logFaults } from './log-faults.ts';
import { checkLogin } from './login-check.ts';
import type { LoginRates } from './login-rates.ts';
import type { Policy } from './policy.ts';
import { type ReceptionParts, receiveMessage } from './reception.ts';
import { checkSender } from './sender-rights.ts';
import { Submission } from './submission.ts';

/** What the server's handlers work with. */
export interface HandlerParts extends Omit<ReceptionParts, 'directory' | 'hideClient' | 'store'> {
  readonly store: QueueStore;
  readonly rates: LoginRates;
  /** The policy in force: a reload replaces it. */
  readonly policy: () => Policy;
  readonly resolver: Resolver;
}

/** What the agent decides in a session (RFC 5321 §3.3). */
export function createHandlers(parts: HandlerParts): ServerHandlers {
  const { policy, resolver, rates, log } = parts;
  const submission = new Submission({ ...parts, newId: () => parts.store.newId() });
  return {
    authenticate: (_session, credentials) => checkLogin(policy().users, credentials),
    mail(session, transaction) {
      const refusal = session.login === undefined ? undefined : rates.message(session.login);
      if (refusal !== undefined) return refusal;
      if (isSubmission(session.role)) return submission.checkSender(session, transaction);
      return checkSender(policy().users, session, transaction);
    },
    recipient(session, recipient) {
      const refusal = session.login === undefined ? undefined : rates.recipient(session.login);
      if (refusal !== undefined) return refusal;
      const admit = (each: AcceptedRecipient) => admitRecipient({ ...policy(), resolver }, session, each);
      return isSubmission(session.role) ? submission.checkRecipient(session, recipient, admit) : admit(recipient);
    },
    async message(session, given, text) {
      const transaction = submission.complete(session, given);
      const { directory, submission: rules } = policy();
      const reception = { ...parts, directory, hideClient: rules.hideClient };
      const completed = submission.completeText(session, text);
      const answer = await receiveMessage(reception, session, { transaction, text: completed });
      return session.role === 'lmtp' ? transaction.recipients.map(() => answer) : answer;
    },
    close: (session) => logFaults(log, session),
  };
}
