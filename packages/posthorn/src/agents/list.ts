import { Failure } from '@posthorn/smtp/failure/failure';
import { listIdsOf } from '@posthorn/smtp/message/list-fields';
import { composeEnvelopeId } from '@posthorn/smtp/report/envelope-id';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { NewMessage } from '../queue/queue-store.ts';
import { collectHeader, deliveredBefore } from './final-text.ts';
import { type CopyParts, composeCopy, keeperText, memberText } from './list-copy.ts';
import { keeperMail, type MailingList, memberMail, recipientsPerCopy } from './mailing-list.ts';
import type { OwnMail } from './own-mail.ts';

/** What the agent of mailing lists works with. */
export interface ListParts extends CopyParts {
  /** The list of that address; undefined when there is none any more. */
  readonly find: (address: string) => MailingList | undefined;
  /** Who gets the mail for these addresses in the end, each once: aliases are replaced. */
  readonly expand: (addresses: readonly string[]) => readonly Recipient[];
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}

type Refusal = Pick<Outcome, 'kind' | 'status' | 'text'>;

const gone: Refusal = { kind: 'failed', status: '5.1.1', text: 'No such mailbox here' };
const loop: Refusal = {
  kind: 'failed',
  status: '5.4.6',
  text: 'The message came through this list before: a mail loop',
};
const notPosted: Refusal = { kind: 'failed', status: '5.7.2', text: 'The sender may not write to this list' };

/**
 * Passes mail to the members of a list as new messages of the list's own, which are stored in the transaction that settles
 * what they were made of: no crash loses a member, or writes to one twice (RFC 5321 §3.9.2, RFC 3461 §5.2.7.1).
 */
export function createListAgent(parts: ListParts): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    deliver(job) {
      const work = Promise.all(job.recipients.map(({ address }) => deliverTo(address, job, parts)));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

async function deliverTo(address: string, job: DeliveryJob, parts: ListParts): Promise<Outcome> {
  const at = parts.now();
  try {
    const list = parts.find(address);
    const answer = list === undefined ? gone : await resubmit(list, job, parts);
    if ('kind' in answer) return { ...answer, at };
    const { copies: causes } = answer;
    return { kind: 'delivered', status: '2.1.5', at, handover: 'final', text: 'passed on by the list', causes };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const status = error.kind === 'full' ? '4.3.1' : error.kind === 'aborted' ? '4.3.2' : '4.2.4';
    return { kind: 'deferred', status, at, text: 'The list cannot be expanded now' };
  }
}

async function resubmit(
  list: MailingList,
  job: DeliveryJob,
  parts: ListParts,
): Promise<Refusal | { readonly copies: readonly NewMessage[] }> {
  const { envelope, content } = job;
  const { header } = await collectHeader(content);
  const isKnown = listIdsOf(header).includes(list.fields.id.toLowerCase());
  if (isKnown || deliveredBefore(header).has(list.address.toLowerCase())) return loop;
  // What tells of a failure is for those who keep the list, not for its members (RFC 5321 §4.5.5).
  const isReport = envelope.reversePath === '';
  if (!isReport && !list.mayPost(envelope.reversePath)) return notPosted;
  const text = isReport ? keeperText(list, header, content) : memberText(list, header, content);
  const mailFor = (members: readonly Recipient[]): OwnMail =>
    isReport
      ? keeperMail(envelope, members)
      : memberMail(list, envelope, { members, envelopeId: composeEnvelopeId(parts.random) });
  const recipients = parts.expand(isReport ? [list.owner] : list.members());
  const perCopy = recipientsPerCopy(recipients.length, text);
  const copies: NewMessage[] = [];
  try {
    for (let start = 0; start < recipients.length; start += perCopy) {
      if (job.signal.aborted) throw new Failure('aborted', 'The delivery was broken off');
      copies.push(await composeCopy(mailFor(recipients.slice(start, start + perCopy)), text, parts));
    }
  } catch (error) {
    for (const { content } of copies) if (!Buffer.isBuffer(content)) await content.discard();
    throw error;
  }
  return { copies };
}
