import { isSubmission } from '@posthorn/smtp/protocol/server-rules';
import type { AcceptedRecipient, ServerHandlers } from '@posthorn/smtp/server';
import type { MailboxUsage } from '../agents/mailbox-usage.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Logins } from '../logins/logins.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { type AdmissionParts, admitRecipient } from './admission.ts';
import { admitPoster } from './admit-poster.ts';
import { admitGenerator } from './batch-gateways.ts';
import type { Checkpoints } from './checkpoints.ts';
import { judgeByAll } from './judge.ts';
import { logFaults } from './log-faults.ts';
import type { LoginRates } from './login-rates.ts';
import { expandList, verifyUser } from './look-up.ts';
import type { Policy } from './policy.ts';
import { type ReceptionParts, receiveMessage } from './reception.ts';
import type { SenderChecks } from './sender-checks.ts';
import { checkSender } from './sender-rights.ts';
import { Submission } from './submission.ts';
import type { TerminalMail } from './terminal-mail.ts';
import { unlessRefused } from './unless-refused.ts';

/** What the server's handlers work with. */
export interface HandlerParts extends Omit<ReceptionParts, 'directory' | 'hideClient' | 'store' | 'refuseSize'> {
  readonly store: QueueStore;
  readonly logins: Logins;
  readonly rates: LoginRates;
  readonly checkpoints: Checkpoints;
  readonly terminalMail: TerminalMail | undefined;
  readonly senders: SenderChecks;
  /** The policy in force: a reload replaces it. */
  readonly policy: () => Policy;
  readonly resolver: Resolver;
  readonly usage: MailboxUsage;
  /** Whether EXPN is served to anybody. */
  readonly expands: boolean;
}

/** What the agent decides in a session (RFC 5321 §3.3). */
export function createHandlers(parts: HandlerParts): ServerHandlers {
  const { policy, logins, rates, log, wishes, checkpoints, terminalMail, senders } = parts;
  const terms = createTerms(parts);
  const submission = new Submission({ ...parts, newId: () => parts.store.newId() });
  return {
    verify: (session, argument) => verifyUser(policy(), session, argument),
    ...(parts.expands ? { expand: (session, argument) => expandList(policy(), session, argument) } : {}),
    authenticate: (session, credentials) => logins.authenticate(session, credentials),
    scramKeys: (_session, request) => logins.scramKeys(request),
    mail(session, transaction) {
      const refusal = session.login === undefined ? undefined : rates.message(session.login);
      if (refusal !== undefined) return refusal;
      const checked = isSubmission(session.role)
        ? submission.checkSender(session, transaction)
        : checkSender(policy().users, session, transaction);
      const wished = unlessRefused(
        checked,
        () => terminalMail?.checkMail(transaction) ?? wishes.checkMail(session, transaction),
      );
      return unlessRefused(wished, () => senders.checkMail(session, transaction));
    },
    recipient(session, recipient, transaction) {
      const refusal = session.login === undefined ? undefined : rates.recipient(session.login);
      if (refusal !== undefined) return refusal;
      const returned = parts.forwarded?.admit(recipient.mailbox, transaction.reversePath);
      if (returned !== undefined) return returned === 'accept' ? undefined : returned;
      const admit = (each: AcceptedRecipient) =>
        admitPoster(policy(), each, transaction) ??
        admitGenerator(policy().findGateway, each, { session, transaction }) ??
        admitRecipient(terms().admission, session, { recipient: each, size: transaction.mail.size });
      const admitted = isSubmission(session.role)
        ? submission.checkRecipient(session, recipient, admit)
        : admit(recipient);
      const wished = unlessRefused(admitted, () => wishes.checkRecipient(recipient, transaction));
      return transaction.verb === undefined
        ? wished
        : unlessRefused(wished, () => terminalMail?.checkRecipient(recipient, transaction));
    },
    async message(session, given, text) {
      const transaction = submission.complete(session, given);
      const opened = await checkpoints.open(session, given, { text, id: parts.contentFilters?.idOf(session) });
      if ('code' in opened) return opened;
      const check = senders.begin(session, transaction);
      // What goes on has its header behind it.
      const submitted = opened.isResumed ? opened.text : submission.completeText(session, opened.text);
      const completed = check === undefined ? submitted : await check.watch(opened);
      const intake = { ...opened, text: terminalMail?.boundText(completed, transaction) ?? completed };
      const isStranger = senders.isStranger(session);
      const answer = await receiveMessage(terms().reception, session, { transaction, intake, check, isStranger });
      return session.role === 'lmtp' ? transaction.recipients.map(() => answer) : answer;
    },
    resume: (session, transaction) => checkpoints.resume(session, transaction),
    forget: (session) => checkpoints.forget(session),
    close(session) {
      checkpoints.closed(session);
      logFaults(log, session);
    },
  };
}

/** What the handlers make of a policy: once for each, not for each message. */
interface Terms {
  readonly policy: Policy;
  readonly admission: AdmissionParts;
  readonly reception: ReceptionParts;
}

function createTerms(parts: HandlerParts): () => Terms {
  const make = (policy: Policy): Terms => {
    const { directory, refuseSize, submission, judge } = policy;
    const about = { directory, refuseSize, hideClient: submission.hideClient, judge: judgeByAll([parts.judge, judge]) };
    const { resolver, usage } = parts;
    return { policy, admission: { ...policy, resolver, usage }, reception: { ...parts, ...about } };
  };
  let terms = make(parts.policy());
  return () => {
    const policy = parts.policy();
    if (policy !== terms.policy) terms = make(policy);
    return terms;
  };
}
