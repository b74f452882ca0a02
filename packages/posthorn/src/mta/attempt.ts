import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { QueuedMessage, RecipientState } from '../queue/queue-store.ts';

/** Recipients of one message that go the same way in one transaction. */
export interface Group {
  readonly nextHop: NextHop;
  /** Positions in the envelope. */
  readonly indexes: readonly number[];
  readonly recipients: readonly Recipient[];
  /** Of the message, with the reverse-path that they have in common. */
  readonly envelope: Envelope;
}

const mostRecipients = 100;

/** What recipients are sorted by. */
export interface Grouping {
  readonly route: (address: string, target?: string) => NextHop;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Sorts the recipients of a message that are to be tried now by next hop, at most 100 to a group (RFC 5321 §4.5.3.1.8). */
export function groupByNextHop(message: QueuedMessage, { route, now }: Grouping): Group[] {
  const { envelope } = message;
  const { recipients } = envelope;
  const only = recipients[0];
  if (recipients.length === 1 && only !== undefined) {
    return isDue(message.state.recipients[0], now)
      ? [{ nextHop: route(only.address, only.target), indexes: [0], recipients, envelope: envelopeFor(envelope, only) }]
      : [];
  }
  const open = new Map<string, Group & { readonly indexes: number[]; readonly recipients: Recipient[] }>();
  const groups: Group[] = [];
  for (const [index, recipient] of recipients.entries()) {
    if (!isDue(message.state.recipients[index], now)) continue;
    const nextHop = route(recipient.address, recipient.target);
    const key = `${nextHop.key} ${recipient.reversePath ?? ''}${recipient.untracked === true ? ' untracked' : ''}`;
    let group = open.get(key);
    if (group === undefined || group.indexes.length >= mostRecipients) {
      group = { nextHop, indexes: [], recipients: [], envelope: envelopeFor(envelope, recipient) };
      open.set(key, group);
      groups.push(group);
    }
    group.indexes.push(index);
    group.recipients.push(recipient);
  }
  return groups;
}

function isDue(state: RecipientState | undefined, now: number): boolean {
  return state?.kind === 'pending' && (state.due === undefined || state.due <= now);
}

function envelopeFor(envelope: Envelope, { reversePath, untracked }: Recipient): Envelope {
  const own = reversePath === undefined ? envelope : { ...envelope, reversePath };
  if (untracked !== true || own.tracking === undefined) return own;
  const { tracking: _, ...rest } = own;
  return rest;
}
