import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { QueuedMessage } from './queue-store.ts';

/** The domain of an address in the form that domains are compared in; undefined when it has none. */
export function recipientDomain(address: string): string | undefined {
  return normalizeDomain(address.slice(address.lastIndexOf('@') + 1));
}

/** The domains of the recipients that a message still waits for, each once. */
export function pendingDomains({ envelope, state }: QueuedMessage): Set<string> {
  const written = new Set<string>();
  for (const [index, { address }] of envelope.recipients.entries()) {
    if (state.recipients[index]?.kind === 'pending') written.add(address.slice(address.lastIndexOf('@') + 1));
  }
  const domains = new Set<string>();
  for (const text of written) {
    const domain = normalizeDomain(text);
    if (domain !== undefined) domains.add(domain);
  }
  return domains;
}
