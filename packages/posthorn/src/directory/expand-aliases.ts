import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import type { AliasTarget } from './alias-target.ts';
import type { DomainEntry } from './domain-table.ts';

/** A recipient whose mail does not go where its address leads. */
export interface TargetedRecipient {
  /** The alias, or who moved. */
  readonly address: string;
  /** A target of a route, such as `pipe:command`; or `resend:`, sent on with another sender (RFC 3461 §5.2.7.4). */
  readonly target: string;
}

/** What an address stands for in the end, each only once; a loop also when it is nested too deep or stands for too many. */
export type Expansion =
  | {
      readonly kind: 'recipients';
      readonly recipients: readonly string[];
      /** Absent when there are none. */
      readonly targeted?: readonly TargetedRecipient[];
    }
  | { readonly kind: 'loop' };

/** What expanding needs to know. */
export interface AliasBook {
  find(mailbox: Mailbox): DomainEntry | undefined;
  /** The same for all ways to write a mailbox. */
  keyOf(mailbox: Mailbox): string;
  /** The mailbox with a detail, as its domain writes it; undefined when it is none of ours, or knows no details. */
  withDetail(mailbox: Mailbox, detail: string): Mailbox | undefined;
}

/** The target of mail that is sent on with another sender. */
const resendTarget = 'resend:';

/** Aliases within aliases, and recipients of one address: beyond, a mistake would become a flood. */
const deepest = 20;
const mostRecipients = 10_000;

/**
 * Replaces aliases and users that moved, and those within them, by mailboxes, foreign addresses, programs and files
 * (RFC 5321 §3.9.1). With `inside` the start is replaced even where its mail is sent on with another sender.
 */
export function expandAliases(start: Mailbox, book: AliasBook, inside = false): Expansion {
  const walk = new AliasWalk(book);
  const isDone = inside ? walk.enter(start) : walk.follow(start, []);
  if (!isDone) return { kind: 'loop' };
  const recipients = [...walk.recipients.values()];
  const targeted = [...walk.targeted.values()];
  return targeted.length === 0 ? { kind: 'recipients', recipients } : { kind: 'recipients', recipients, targeted };
}

/** What is the same for doubles: a file gets one copy, a program one for each alias that names it. */
export function targetedKey({ address, target }: TargetedRecipient, keyOf: (address: string) => string): string {
  return /^(?:mbox|maildir):/.test(target) ? target : `${target} ${keyOf(address)}`;
}

type Replaced = Extract<DomainEntry, { kind: 'alias' | 'forward' }>;

class AliasWalk {
  readonly recipients = new Map<string, string>();
  readonly targeted = new Map<string, TargetedRecipient>();
  readonly #book: AliasBook;
  readonly #done = new Set<string>();

  constructor(book: AliasBook) {
    this.#book = book;
  }

  /** Adds what a mailbox stands for; false when that has no end. */
  follow(mailbox: Mailbox, way: readonly string[]): boolean {
    const entry = this.#book.find(mailbox);
    if (!isReplaced(entry)) return this.#add(mailbox);
    if (!isResent(entry)) return this.#replace(mailbox, entry, way);
    const keepsCopy = entry.kind === 'forward' && entry.forward.keepCopy === true;
    return this.#target(mailbox, resendTarget) && (!keepsCopy || this.#add(mailbox));
  }

  /** Adds what stands behind an alias or a forward, whoever is the sender. */
  enter(mailbox: Mailbox): boolean {
    const entry = this.#book.find(mailbox);
    if (!isReplaced(entry)) return this.#add(mailbox);
    const rest = entry.kind === 'forward' ? { ...entry, forward: { ...entry.forward, keepCopy: false } } : entry;
    return this.#replace(mailbox, rest, []);
  }

  #replace(mailbox: Mailbox, entry: Replaced, way: readonly string[]): boolean {
    const key = this.#book.keyOf(entry.mailbox);
    if (way.includes(key) || way.length >= deepest) return false;
    // Reached a second time by another way, it adds nothing, and would cost the same again.
    if (this.#done.has(key)) return true;
    this.#done.add(key);
    if (entry.kind === 'alias') return this.#followAll(mailbox, entry, [...way, key]);
    const { mode, keepCopy } = entry.forward;
    if (mode === 'refuse' || keepCopy === true) this.#add(mailbox);
    return mode === 'refuse' || this.follow(this.#detailed(entry.to, entry.detail), [...way, key]);
  }

  #followAll(
    mailbox: Mailbox,
    { targets, mailbox: own, detail }: Extract<Replaced, { kind: 'alias' }>,
    way: readonly string[],
  ): boolean {
    const key = this.#book.keyOf(own);
    const only = targets.length === 1 ? detail : undefined;
    return targets.every((target: AliasTarget) => {
      if ('target' in target) return this.#target(mailbox, target.target);
      if ('include' in target) return true;
      const isItself = this.#book.keyOf(target.mailbox) === key;
      const to = isItself && detail !== undefined ? mailbox : this.#detailed(target.mailbox, only);
      return target.direct || isItself ? this.#add(to) : this.follow(to, way);
    });
  }

  /** What one user stands for keeps the detail, as long as the domain of that is ours: whether others know details nobody can tell. */
  #detailed(mailbox: Mailbox, detail: string | undefined): Mailbox {
    return (detail === undefined ? undefined : this.#book.withDetail(mailbox, detail)) ?? mailbox;
  }

  #add(mailbox: Mailbox): boolean {
    const key = this.#book.keyOf(mailbox);
    if (!this.recipients.has(key)) this.recipients.set(key, formatMailbox(mailbox));
    return this.#isBounded();
  }

  #target(mailbox: Mailbox, target: string): boolean {
    const recipient = { address: formatMailbox(mailbox), target };
    const key = targetedKey(recipient, () => this.#book.keyOf(mailbox));
    if (!this.targeted.has(key)) this.targeted.set(key, recipient);
    return this.#isBounded();
  }

  #isBounded(): boolean {
    return this.recipients.size + this.targeted.size <= mostRecipients;
  }
}

function isReplaced(entry: DomainEntry | undefined): entry is Replaced {
  return entry?.kind === 'alias' || entry?.kind === 'forward';
}

/** Whether mail goes on with a sender of its own, so that reports about it never reach the first one (RFC 5321 §3.9.2). */
function isResent(entry: Replaced): boolean {
  return entry.kind === 'alias' ? entry.owner !== undefined : isConfidential(entry);
}

function isConfidential({ forward }: Extract<Replaced, { kind: 'forward' }>): boolean {
  return forward.confidential === true && forward.mode !== 'refuse';
}
