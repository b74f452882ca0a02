import { clientNetwork } from '@posthorn/smtp/address/client-network';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import type { Reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, HandlerAnswer, ServerHandlers, Session, Transaction } from '@posthorn/smtp/server';
import type { StrangerRefusal, Strangers } from '../filters/strangers.ts';
import type { Log } from './log.ts';
import { RequestRate } from './request-rate.ts';

/** Refusals of one client that are told within a minute. */
const mostTold = 200;

/** Who wanted what. */
interface Attempt {
  readonly session: Session;
  readonly from?: Mailbox | null;
  readonly to?: Mailbox;
}

/**
 * Has strangers judged beside what the handlers decide, and tells of each refusal in one line: the client, the envelope as
 * far as it is known, the reply, and what the reason was (RFC 2505 §2.4).
 */
export function withStrangers(
  handlers: ServerHandlers,
  { strangers, log, now }: { readonly strangers: Strangers; readonly log: Log; readonly now: () => number },
): ServerHandlers {
  const [told, silenced] = [new RequestRate(mostTold, now), new RequestRate(1, now)];
  const refuse = (attempt: Attempt, { reply, reason }: StrangerRefusal): Reply => {
    tell(attempt, reply, reason);
    return reply;
  };
  const tell = ({ session, from, to }: Attempt, reply: Reply, why?: string): void => {
    const { clientAddress: client, hello, login } = session;
    const network = clientNetwork(client);
    // A flood of connections must not become one of lines, which would fill the disk.
    if (!told.take(network)) {
      if (silenced.take(network)) log.warn({ client }, 'refused so often that no more of it is told for a minute');
      return;
    }
    const said = [reply.code, reply.status, ...reply.lines].filter(Boolean).join(' ');
    const envelope = { from: textOf(from), to: textOf(to) };
    log.warn({ client, helo: hello?.name, login, ...envelope, said, why }, reply.code < 500 ? 'put off' : 'refused');
  };
  const toldIfRefused = (attempt: Attempt, answer: HandlerAnswer): HandlerAnswer => {
    if (answer && answer.code >= 400) tell(attempt, answer);
    return answer;
  };
  const judged = async (
    attempt: Required<Attempt>,
    answer: HandlerAnswer | Promise<HandlerAnswer>,
  ): Promise<HandlerAnswer> => {
    const known = toldIfRefused(attempt, await answer);
    if (known && known.code >= 400) return known;
    const refusal = await strangers.recipient(attempt.session, attempt.to, attempt.from);
    return refusal === undefined ? known : refuse(attempt, refusal);
  };
  return {
    ...handlers,
    connect(session) {
      const judgement = strangers.connect(session);
      if (judgement === undefined) return handlers.connect?.(session);
      if ('reply' in judgement) return refuse({ session }, judgement);
      return judgement.then(() => handlers.connect?.(session));
    },
    hello(session, hello) {
      strangers.hello(session, hello.name);
      return handlers.hello?.(session, hello);
    },
    mail(session, transaction) {
      const attempt = { session, from: transaction.reversePath };
      const refusal = strangers.mail(session, transaction.reversePath);
      if (refusal !== undefined) return refuse(attempt, refusal);
      const answer = handlers.mail?.(session, transaction);
      return answer instanceof Promise
        ? answer.then((reply) => toldIfRefused(attempt, reply))
        : toldIfRefused(attempt, answer);
    },
    recipient(session: Session, recipient: AcceptedRecipient, transaction: Transaction) {
      const attempt = { session, from: transaction.reversePath, to: recipient.mailbox };
      const excess = strangers.count(session);
      if (excess !== undefined) return refuse(attempt, excess);
      const answer = handlers.recipient?.(session, recipient, transaction);
      if (strangers.isStranger(session) || answer instanceof Promise) return judged(attempt, answer);
      return toldIfRefused(attempt, answer);
    },
  };
}

function textOf(mailbox: Mailbox | null | undefined): string | undefined {
  return mailbox === null ? '' : mailbox && formatMailbox(mailbox);
}
