import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import type { DomainEntry } from './domain-table.ts';

/** What an address stands for in the end, each only once; a loop also when it is nested too deep or stands for too many. */
export type Expansion =
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  | { readonly kind: 'loop' };

/** What expanding needs to know. */
export interface AliasBook {
  find(mailbox: Mailbox): DomainEntry | undefined;
  /** The same for all ways to write a mailbox. */
  keyOf(mailbox: Mailbox): string;
}

/** Aliases within aliases, and recipients of one address: beyond, a mistake would become a flood. */
const deepest = 20;
const mostRecipients = 10_000;

/** Replaces aliases, and aliases within them, by mailboxes and foreign addresses (RFC 5321 §3.9.1). */
export function expandAliases(start: Mailbox, { find, keyOf }: AliasBook): Expansion {
  const recipients = new Map<string, string>();
  const done = new Set<string>();
  const walk = (mailbox: Mailbox, way: readonly string[]): boolean => {
    const key = keyOf(mailbox);
    const entry = find(mailbox);
    if (entry?.kind !== 'alias') return add(key, mailbox);
    if (way.includes(key) || way.length >= deepest) return false;
    // Reached a second time by another way, it adds nothing, and would cost the same again.
    if (done.has(key)) return true;
    done.add(key);
    return entry.targets.every((target) => {
      const isItself = keyOf(target.mailbox) === key;
      return target.direct || isItself
        ? add(keyOf(target.mailbox), target.mailbox)
        : walk(target.mailbox, [...way, key]);
    });
  };
  const add = (key: string, mailbox: Mailbox): boolean => {
    if (!recipients.has(key)) recipients.set(key, formatMailbox(mailbox));
    return recipients.size <= mostRecipients;
  };
  return walk(start, []) ? { kind: 'recipients', recipients: [...recipients.values()] } : { kind: 'loop' };
}
