import type { TrackedRecipient, TrackingReport } from '@posthorn/smtp/report/tracking-report';
import type { Recipient } from '../queue/envelope.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { RecipientState } from '../queue/queue-store.ts';
import { expiryOf, type RetryPolicy } from '../queue/retry-policy.ts';
import type { TrackedMessage } from '../queue/track-store.ts';

/** What tracking reports are composed with. */
export interface TrackingContext {
  /** The name of this host. */
  readonly hostname: string;
  readonly policy: RetryPolicy;
  /** Whether what is delivered to an address of ours goes on to several others, as new messages. */
  readonly isExpanded: (address: string) => boolean;
}

/** What this host tells the sender of a message about its way, a report each time that it came by (RFC 3886 §3). */
export function trackingReports(messages: readonly TrackedMessage[], context: TrackingContext): TrackingReport[] {
  return messages.map((message) => ({
    reportingMta: context.hostname,
    envelopeId: message.envelope.envelopeId ?? '',
    arrivalDate: message.envelope.receivedAt,
    recipients: recipientsOf(message, context),
  }));
}

function recipientsOf(message: TrackedMessage, context: TrackingContext): TrackedRecipient[] {
  const told: TrackedRecipient[] = [];
  const aliases = new Set<string>();
  for (const [index, recipient] of message.envelope.recipients.entries()) {
    const { untracked, alias = recipient.address } = recipient;
    const state = message.recipients[index];
    if (state === undefined) continue;
    if (untracked !== true) {
      told.push(reported(recipient, state, { message, context }));
      // Who keeps a copy of what goes on in confidence has it: nothing else is to be seen.
      if (recipient.alias === recipient.address) aliases.add(alias);
    }
    // All but one member of an alias are behind one line: the tracker learns of none of them (RFC 3886 §4.2).
    else if (!aliases.has(alias)) {
      aliases.add(alias);
      const { receivedAt } = message.envelope;
      told.push({ ...named(recipient, alias), action: 'expanded', status: '2.1.5', lastAttempt: receivedAt });
    }
  }
  return told;
}

interface Surroundings {
  readonly message: TrackedMessage;
  readonly context: TrackingContext;
}

function reported(
  recipient: Recipient,
  { kind, last }: RecipientState,
  { message, context }: Surroundings,
): TrackedRecipient {
  const who = named(recipient, recipient.address);
  const attempt = last === undefined ? {} : { lastAttempt: last.at };
  const host = last?.remoteHost === undefined ? {} : { remoteMta: last.remoteHost };
  const known = { ...who, ...attempt, ...host };
  if (kind === 'failed') return { ...known, action: 'failed', status: last?.status ?? '5.0.0' };
  if (kind === 'delivered') {
    const action = context.isExpanded(recipient.address) ? 'expanded' : successAction(last);
    return { ...known, action, status: last?.status ?? '2.0.0' };
  }
  const willRetryUntil = message.isQueued ? { willRetryUntil: expiryOf(context.policy, message.envelope) } : {};
  return { ...known, action: 'delayed', status: last?.status ?? '4.0.0', ...willRetryUntil };
}

function named(
  { originalRecipient }: Recipient,
  finalRecipient: string,
): Pick<TrackedRecipient, 'finalRecipient' | 'originalRecipient'> {
  return { finalRecipient, ...(originalRecipient === undefined ? {} : { originalRecipient }) };
}

/** A host that takes the certifier can be asked next; of one that does not, nothing more will be known (RFC 3886 §3.3.3). */
function successAction(last: Outcome | undefined): 'transferred' | 'delivered' | 'relayed' {
  if (last?.tracked === true) return 'transferred';
  return last?.handover === 'final' ? 'delivered' : 'relayed';
}
