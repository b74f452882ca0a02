import type { QueuedMessage, QueueQuery } from '../queue/queue-store.ts';

/** Whether a listing wants the message; addresses and domains compare without regard to case. */
export function matchesQuery({ envelope, state }: QueuedMessage, query: QueueQuery): boolean {
  const { sender, recipient, domain, held } = query;
  if (held !== undefined && state.held !== held) return false;
  if (sender !== undefined && !isSame(envelope.reversePath, sender)) return false;
  if (recipient !== undefined && !envelope.recipients.some(({ address }) => isSame(address, recipient))) return false;
  return domain === undefined || envelope.recipients.some(({ address }) => isSame(domainOf(address), domain));
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
