import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Outcome } from '../queue/outcome.ts';
import { finalText, wasDeliveredTo } from './final-text.ts';

/** One copy on its way into one mailbox. */
export interface Delivery {
  /** Where the mailbox is. */
  readonly path: string;
  readonly reversePath: string;
  /** With CRLF line ends, Return-Path and Delivered-To on top. */
  readonly text: AsyncIterable<Buffer>;
  readonly receivedAt: number;
  readonly signal: AbortSignal;
}

/** How a kind of mailbox stores one copy: durable when it resolves. */
export type Deposit = (delivery: Delivery) => Promise<void>;

/** An agent for mailboxes on this host: one copy for each recipient (RFC 5321 §4.4). */
export function createLocalAgent(deposit: Deposit, now: () => number): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    async deliver(job) {
      const work = Promise.all(job.recipients.map(({ address }) => deliverOne(job, address, { deposit, now })));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

async function deliverOne(
  job: DeliveryJob,
  recipient: string,
  { deposit, now }: { deposit: Deposit; now: () => number },
): Promise<Outcome> {
  const { content, envelope, nextHop, signal } = job;
  if (nextHop.kind !== 'maildir' && nextHop.kind !== 'mbox') throw new Error(`${nextHop.kind} is no mailbox`);
  try {
    if (await wasDeliveredTo(content, recipient)) return loop(now());
    const text = finalText(content, { reversePath: envelope.reversePath, recipient });
    await deposit({
      path: nextHop.path,
      reversePath: envelope.reversePath,
      text,
      receivedAt: envelope.receivedAt,
      signal,
    });
    return { kind: 'delivered', status: '2.1.5', at: now(), handover: 'final', text: 'delivered to mailbox' };
  } catch (error) {
    return failureOutcome(error, now());
  }
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
function failureOutcome(error: unknown, at: number): Outcome {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return {
    kind: 'deferred',
    status: statusByCode[code] ?? '4.3.0',
    at,
    text: `The mailbox cannot be written (${code})`,
  };
}

/** An agent that throws mail away, as its route says. */
export function createDiscardAgent(now: () => number): DeliveryAgent {
  const discarded = (): Outcome => ({
    kind: 'delivered',
    status: '2.1.5',
    at: now(),
    handover: 'final',
    text: 'discarded',
  });
  return {
    async deliver({ recipients }) {
      return recipients.map(discarded);
    },
    async close() {},
  };
}
