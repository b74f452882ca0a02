import { readBatchLabel, readBatchObject } from '@posthorn/smtp/batch/batch-object';
import { type BatchEvent, type BatchLimits, BatchReader } from '@posthorn/smtp/batch/batch-reader';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { Content, NewMessage, QueueStore } from '../queue/queue-store.ts';
import { EnclosedWriter, type EnclosedWriterParts } from './enclosed-writer.ts';
import { collectHeader } from './final-text.ts';
import { ownEnvelope, ownTrace } from './own-mail.ts';

/** An address that takes batches of mail. */
export interface BatchGateway {
  /** Who looks at what cannot be read. */
  readonly postmaster: string;
  /** Whether a batch with this envelope sender, from this client, is taken. */
  mayFeed(from: { readonly reversePath: string; readonly clientAddress: string; readonly login?: string }): boolean;
}

/** What the agent works with. */
export interface BatchProcessorParts extends EnclosedWriterParts {
  readonly draft: QueueStore['draft'];
  /** Undefined when the address takes no batches any more. */
  readonly find: (address: string) => BatchGateway | undefined;
  readonly limits: BatchLimits;
}

/**
 * Takes batches apart: each enclosed message is queued as if it had come by itself, so that its recipients, good and bad,
 * get what is due to them. All of them are stored in the transaction that settles the batch, so that no crash loses one or
 * doubles it; a batch that cannot be read as a whole goes to the postmaster, and nothing of it is sent (RFC 2442).
 */
export function createBatchProcessor(parts: BatchProcessorParts): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    deliver(job) {
      const work = Promise.all(job.recipients.map((recipient) => process(job, recipient, parts)));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

async function process(job: DeliveryJob, { address }: Recipient, parts: BatchProcessorParts): Promise<Outcome> {
  const at = parts.now();
  const gateway = parts.find(address);
  const { reversePath, origin } = job.envelope;
  if (gateway === undefined) return { kind: 'failed', status: '5.1.1', at, text: 'No such mailbox here' };
  // An alias may lead here past the look at RCPT.
  if (!gateway.mayFeed({ reversePath, ...origin })) {
    return { kind: 'failed', status: '5.7.1', at, text: 'Not permitted to hand in batches of mail' };
  }
  try {
    const fault = await findFault(job, parts.limits);
    const causes = fault === undefined ? await takeApart(job, parts) : [await handOver(job, gateway, parts)];
    const text = fault === undefined ? `${causes.length} messages taken out` : `handed to the postmaster, as ${fault}`;
    return { kind: 'delivered', status: '2.1.5', at, handover: 'final', text, causes };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const status = error.kind === 'full' ? '4.3.1' : error.kind === 'aborted' ? '4.3.2' : '4.3.0';
    return { kind: 'deferred', status, at, text: 'The batch cannot be processed now' };
  }
}

/** What keeps a batch from being processed, in words: it is read through before anything is done. */
async function findFault(job: DeliveryJob, limits: BatchLimits): Promise<string | undefined> {
  const label = readBatchLabel((await collectHeader(job.content)).header);
  if (label === undefined) return 'it is no batch';
  if (label.unknown.length > 0) return 'it needs an extension that is not known here';
  for await (const event of eventsOf(job, label, limits)) {
    if (event.kind === 'fault') return `it earns ${event.reply.code} ${event.reply.lines.join(' ')}`;
  }
  return undefined;
}

async function takeApart(job: DeliveryJob, parts: BatchProcessorParts): Promise<NewMessage[]> {
  const label = readBatchLabel((await collectHeader(job.content)).header);
  if (label === undefined) throw new Failure('storage', 'The batch has changed');
  const writer = new EnclosedWriter(job.envelope, parts);
  try {
    for await (const event of eventsOf(job, label, parts.limits)) await writer.take(event);
  } catch (error) {
    await writer.discard();
    throw error;
  }
  return writer.messages;
}

async function* eventsOf(
  { content, signal }: DeliveryJob,
  label: { readonly encoding: string },
  limits: BatchLimits,
): AsyncGenerator<BatchEvent, void, undefined> {
  const reader = new BatchReader(limits);
  for await (const piece of readBatchObject(content.stream(), label)) {
    if (signal.aborted) throw new Failure('aborted', 'The delivery was broken off', signal.reason);
    reader.receive(piece);
    for (let event = reader.next(); event !== undefined; event = reader.next()) yield event;
  }
  const last = reader.finish();
  if (last !== undefined) yield last;
}

/** The whole object for a person, as it came; what fails about it is told to nobody (RFC 2442). */
async function handOver(
  { envelope, content }: DeliveryJob,
  { postmaster }: BatchGateway,
  parts: BatchProcessorParts,
): Promise<NewMessage> {
  const { body, smtputf8 } = envelope;
  const mail = { reversePath: '', recipients: [{ address: postmaster }], body, smtputf8 };
  const draft = parts.draft();
  try {
    await draft.write(ownTrace(draft.id, mail, parts));
    await copy(content, draft);
  } catch (error) {
    await draft.discard();
    throw error;
  }
  return { envelope: ownEnvelope(mail, { id: draft.id, receivedAt: parts.now(), size: draft.size }), content: draft };
}

async function copy(content: Content, draft: ReturnType<QueueStore['draft']>): Promise<void> {
  for await (const piece of content.stream()) await draft.write(piece);
}
