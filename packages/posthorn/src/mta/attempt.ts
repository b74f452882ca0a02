import type { Recipient } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { QueuedMessage } from '../queue/queue-store.ts';

/** Recipients of one message that go the same way in one transaction. */
export interface Group {
  readonly nextHop: NextHop;
  /** Positions in the envelope. */
  readonly indexes: readonly number[];
  readonly recipients: readonly Recipient[];
}

const mostRecipients = 100;

/** Sorts the pending recipients of a message by next hop, at most 100 to a group (RFC 5321 §4.5.3.1.8). */
export function groupByNextHop(message: QueuedMessage, route: (address: string) => NextHop): Group[] {
  const { recipients } = message.envelope;
  const only = recipients[0];
  if (recipients.length === 1 && only !== undefined)
    return [{ nextHop: route(only.address), indexes: [0], recipients }];
  const open = new Map<string, { nextHop: NextHop; indexes: number[]; recipients: Recipient[] }>();
  const groups: Group[] = [];
  for (const [index, recipient] of recipients.entries()) {
    if (message.state.recipients[index]?.kind !== 'pending') continue;
    const nextHop = route(recipient.address);
    let group = open.get(nextHop.key);
    if (group === undefined || group.indexes.length >= mostRecipients) {
      group = { nextHop, indexes: [], recipients: [] };
      open.set(nextHop.key, group);
      groups.push(group);
    }
    group.indexes.push(index);
    group.recipients.push(recipient);
  }
  return groups;
}
