import { Failure } from '@posthorn/smtp/failure/failure';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import { isTooLarge } from '../queue/mailbox-bounds.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { Outcome } from '../queue/outcome.ts';
import { earlierRecipients, finalText } from './final-text.ts';
import type { MailboxUsage } from './mailbox-usage.ts';

/** One copy on its way into one mailbox. */
export interface Delivery {
  /** Where the mailbox is. */
  readonly path: string;
  readonly reversePath: string;
  /** The text from its beginning, as the mailbox keeps it; rejects once the signal is aborted. */
  text(): AsyncIterable<Buffer>;
  readonly receivedAt: number;
  readonly signal: AbortSignal;
}

/** How a kind of mailbox stores one copy: durable when it resolves. */
export type Deposit = (delivery: Delivery) => Promise<void>;

/** What an agent for mailboxes works with. */
export interface LocalParts {
  readonly now: () => number;
  readonly usage: MailboxUsage;
}

/** An agent for mailboxes on this host: one copy for each recipient (RFC 5321 §4.4). */
export function createLocalAgent(deposit: Deposit, parts: LocalParts): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    deliver(job) {
      const work = deliverAll(job, deposit, parts).finally(() => running.delete(work));
      running.add(work);
      return work;
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

/** Small copies side by side, so that they share syncs; large ones one by one, so that they do not fill the memory. */
async function deliverAll(job: DeliveryJob, deposit: Deposit, { now, usage }: LocalParts): Promise<Outcome[]> {
  const { recipients, content } = job;
  let earlier: Promise<ReadonlySet<string>> | undefined;
  const deliver = async (recipient: Recipient): Promise<Outcome> => {
    try {
      earlier ??= earlierRecipients(content);
      if ((await earlier).has(recipient.address.toLowerCase())) return loop(now());
      const refusal = await takeRoom(job, usage);
      if (refusal !== undefined) return { ...refusal, at: now() };
      await deposit(deliveryOf(job, recipient)).catch((error: unknown) => {
        usage.add(mailboxOf(job), -content.size);
        throw error;
      });
      return { kind: 'delivered', status: '2.1.5', at: now(), handover: 'final', text: 'delivered to mailbox' };
    } catch (error) {
      return failureOutcome(error, job.signal, now());
    }
  };
  if (content.bytes !== undefined) return Promise.all(recipients.map(deliver));
  const outcomes: Outcome[] = [];
  for (const recipient of recipients) outcomes.push(await deliver(recipient));
  return outcomes;
}

function mailboxOf({ nextHop }: DeliveryJob): Extract<NextHop, { kind: 'maildir' | 'mbox' }> {
  if (nextHop.kind !== 'maildir' && nextHop.kind !== 'mbox') throw new Error(`${nextHop.kind} is no mailbox`);
  return nextHop;
}

/** Counts the message in, or says why the mailbox does not take it (RFC 3463 §3.3). */
async function takeRoom(job: DeliveryJob, usage: MailboxUsage): Promise<Omit<Outcome, 'at'> | undefined> {
  const mailbox = mailboxOf(job);
  const { quota, refuseOverQuota } = mailbox.bounds ?? {};
  const { size } = job.content;
  if (mailbox.bounds !== undefined && isTooLarge(mailbox.bounds, size)) {
    return { kind: 'failed', status: '5.2.3', text: 'The message is larger than the mailbox takes' };
  }
  if (quota !== undefined && !(await usage.hasRoom(mailbox, size, quota))) {
    const text = 'The mailbox is full';
    return refuseOverQuota ? { kind: 'failed', status: '5.2.2', text } : { kind: 'deferred', status: '4.2.2', text };
  }
  usage.add(mailbox, size);
  return undefined;
}

function deliveryOf(job: DeliveryJob, recipient: Recipient): Delivery {
  const { content, envelope, signal } = job;
  const { path } = mailboxOf(job);
  const { reversePath, receivedAt } = envelope;
  const text = () => untilAborted(finalText({ envelope, recipient, content }), signal);
  return { path, reversePath, receivedAt, signal, text };
}

async function* untilAborted(
  pieces: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
  }
  signal.throwIfAborted();
}

function loop(at: number): Outcome {
  return { kind: 'failed', status: '5.4.6', at, text: 'The message was delivered to this mailbox before: a mail loop' };
}

const statusByCode: Readonly<Record<string, Outcome['status']>> = {
  ENOSPC: '4.3.1',
  EDQUOT: '4.2.2',
  EBUSY: '4.2.0',
};

/** Trouble with a mailbox is never the sender's fault: it is tried again until the message's time is over. */
function failureOutcome(error: unknown, signal: AbortSignal, at: number): Outcome {
  if (signal.aborted) return { kind: 'deferred', status: '4.3.2', at, text: 'The delivery was broken off' };
  if (error instanceof Failure)
    return { kind: 'deferred', status: '4.3.0', at, text: 'The message cannot be read now' };
  const { code } = error as NodeJS.ErrnoException;
  // What did not come from the system is a fault of our own, and must not look like one of the mailbox.
  if (typeof code !== 'string') throw error;
  return {
    kind: 'deferred',
    status: statusByCode[code] ?? '4.3.0',
    at,
    text: `The mailbox cannot be written (${code})`,
  };
}
