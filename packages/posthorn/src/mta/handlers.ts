import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { Reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, ServerHandlers } from '@posthorn/smtp/server';
import type { Resolver } from '../dns/resolver.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { admitRecipient } from './admission.ts';
import { admitPoster } from './admit-poster.ts';
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
  const { policy, resolver, rates, log, wishes } = parts;
  const submission = new Submission({ ...parts, newId: () => parts.store.newId() });
  return {
    authenticate: (_session, credentials) => checkLogin(policy().users, credentials),
    mail(session, transaction) {
      const refusal = session.login === undefined ? undefined : rates.message(session.login);
      if (refusal !== undefined) return refusal;
      const checked = isSubmission(session.role)
        ? submission.checkSender(session, transaction)
        : checkSender(policy().users, session, transaction);
      return unlessRefused(checked, () => wishes.checkMail(session, transaction));
    },
    recipient(session, recipient, transaction) {
      const refusal = session.login === undefined ? undefined : rates.recipient(session.login);
      if (refusal !== undefined) return refusal;
      const admit = (each: AcceptedRecipient) =>
        admitPoster(policy(), each, transaction) ?? admitRecipient({ ...policy(), resolver }, session, each);
      const admitted = isSubmission(session.role)
        ? submission.checkRecipient(session, recipient, admit)
        : admit(recipient);
      return unlessRefused(admitted, () => wishes.checkRecipient(recipient, transaction));
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

type Decision = Reply | undefined | Promise<Reply | undefined>;

/** Goes on where nothing speaks against it so far; at once where that was known at once. A good reply that says more stays. */
function unlessRefused(first: Decision, next: () => Decision): Decision {
  if (first instanceof Promise) return first.then((reply) => unlessRefused(reply, next));
  if (first === undefined) return next();
  if (first.code >= 400) return first;
  const second = next();
  return second instanceof Promise ? second.then((reply) => reply ?? first) : (second ?? first);
}
