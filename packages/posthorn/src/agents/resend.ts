import { Failure } from '@posthorn/smtp/failure/failure';
import { composeEnvelopeId } from '@posthorn/smtp/report/envelope-id';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { Draft, NewMessage, QueueStore } from '../queue/queue-store.ts';
import { earlierRecipients } from './final-text.ts';
import { type OwnMail, type OwnMailParts, ownEnvelope, ownTrace } from './own-mail.ts';

/** Whom mail for an address is sent on to. */
export interface Redirection {
  /** Who gets what cannot be delivered: `local@domain`. */
  readonly owner: string;
  /** None: the alias has no end. */
  readonly recipients: readonly Recipient[];
}

/** What the agent works with. */
export interface ResendParts extends OwnMailParts {
  /** Undefined when the address is none that is sent on any more. */
  readonly find: (address: string) => Redirection | undefined;
  readonly draft: QueueStore['draft'];
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}

/**
 * Sends mail on with a sender of its own, unchanged but for a mark against loops: what fails behind it comes back to its
 * owner, and the first sender never learns where it went (RFC 3461 §5.2.7.4, RFC 5321 §3.9.2).
 */
export function createResendAgent(parts: ResendParts): DeliveryAgent {
  const running = new Set<Promise<unknown>>();
  return {
    deliver(job) {
      const work = Promise.all(job.recipients.map((recipient) => deliver(job, recipient, parts)));
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async close() {
      await Promise.allSettled(running);
    },
  };
}

async function deliver(job: DeliveryJob, { address }: Recipient, parts: ResendParts): Promise<Outcome> {
  const at = parts.now();
  const redirection = parts.find(address);
  if (redirection === undefined) return { kind: 'failed', status: '5.1.1', at, text: 'No such mailbox here' };
  try {
    const wasHere = (await earlierRecipients(job.content)).has(address.toLowerCase());
    if (wasHere || redirection.recipients.length === 0) {
      return { kind: 'failed', status: '5.4.6', at, text: 'The message came here before: a mail loop' };
    }
    const causes = [await copy(job, address, { redirection, parts })];
    return { kind: 'delivered', status: '2.1.5', at, handover: 'final', text: 'passed on', causes };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const status = error.kind === 'full' ? '4.3.1' : '4.3.0';
    return { kind: 'deferred', status, at, text: 'The message cannot be passed on now' };
  }
}

async function copy(
  { envelope, content, signal }: DeliveryJob,
  address: string,
  { redirection, parts }: { readonly redirection: Redirection; readonly parts: ResendParts },
): Promise<NewMessage> {
  const { body, smtputf8, requireTls, priority, solicit, isStranger } = envelope;
  const isForeign = (text: string) => /[^\0-\x7f]/.test(text);
  // The null reverse-path stays what it is: a report about a report would have no end (RFC 5321 §4.5.5).
  const reversePath = envelope.reversePath === '' ? '' : redirection.owner;
  const mail: OwnMail = {
    reversePath,
    recipients: redirection.recipients,
    body,
    smtputf8: smtputf8 || [reversePath, ...redirection.recipients.map((each) => each.address)].some(isForeign),
    envelopeId: composeEnvelopeId(parts.random),
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(priority === undefined ? {} : { priority }),
    ...(solicit === undefined ? {} : { solicit }),
    ...(isStranger && { isStranger }),
  };
  const draft: Draft = parts.draft();
  const head = Buffer.concat([ownTrace(draft.id, mail, parts), Buffer.from(`Delivered-To: ${address}\r\n`)]);
  try {
    await draft.write(head);
    for await (const piece of content.stream()) {
      signal.throwIfAborted();
      await draft.write(piece);
    }
  } catch (error) {
    await draft.discard();
    throw signal.aborted ? new Failure('aborted', 'The delivery was broken off', error) : error;
  }
  const facts = { id: draft.id, receivedAt: parts.now(), size: head.length + content.size };
  return { envelope: ownEnvelope(mail, facts), content: draft };
}
