import { isIntermediate, isPositive, type Reply } from '../reply/reply.ts';
import type { Step } from './client-step.ts';
import type { ClientTransaction } from './client-transaction.ts';

/** What a reply leaves behind: whether the host holds a transaction open; undefined where it changes nothing about that. */
export type Effect = { readonly open?: boolean } | 'reply out of step';

/** Gives the reply to a step of a transaction to those of its recipients that it is about (RFC 5321 §3.3, RFC 2033 §4.2). */
export function applyReply(
  step: Step,
  transaction: ClientTransaction,
  { reply, lmtp }: { reply: Reply; lmtp: boolean },
): Effect {
  switch (step.kind) {
    case 'rset':
      return { open: !isPositive(reply) };
    case 'mail':
      if (isIntermediate(reply)) return transaction.resume(reply) ? { open: true } : 'reply out of step';
      if (!isPositive(reply)) transaction.refuseMail(reply);
      return { open: isPositive(reply) };
    case 'rcpt':
      transaction.answerRcpt(step.index, reply);
      return {};
    case 'data':
      return applyToData(transaction, reply, lmtp);
    default:
      if (lmtp) transaction.answerNext('text', reply);
      else transaction.answerAccepted('text', reply);
      // The end of DATA closes the transaction whatever the reply is, a refused chunk leaves it open (RFC 3030 §2).
      return step.kind === 'text' || isPositive(reply) ? { open: false } : {};
  }
}

function applyToData(transaction: ClientTransaction, reply: Reply, lmtp: boolean): Effect {
  transaction.invited = isIntermediate(reply);
  if (!transaction.invited) transaction.answerAccepted('data', reply);
  // How many replies such a host gives to a text for nobody cannot be known (RFC 2033 §4.2).
  else if (lmtp && transaction.accepted.length === 0) return 'reply out of step';
  return {};
}

/** Whether a reply answers no such step: 3yz asks for more after DATA, and names an offset after MAIL with TRANSID (RFC 1845 §3). */
export function isOutOfStep({ kind, closesGroup }: Step, reply: Reply): boolean {
  if (kind === 'data') return isPositive(reply);
  return isIntermediate(reply) && !(kind === 'mail' && closesGroup && reply.code === 355);
}

/** Whether earlier replies have taken the sense from a step (RFC 5321 §3.3). */
export function isPointless({ kind, transaction }: Step): boolean {
  if (transaction === undefined) return false;
  if (kind === 'rcpt') return transaction.mailRefused || transaction.resumed;
  if (kind === 'text') return !transaction.invited;
  return (kind === 'data' || kind === 'chunk') && transaction.accepted.length === 0;
}
