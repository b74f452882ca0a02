import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import type { MailboxSettings } from './directory-domain.ts';

/** Somebody who has a mailbox. */
export interface Person {
  readonly address: string;
  readonly fullName?: string;
}

/** People that one name may mean, at most. */
const mostNamesakes = 100;

/** Finds people by what others call them (RFC 5321 §3.5.1). */
export class NameSearch {
  readonly #people = new Map<string, Person[]>();

  /** Adds a mailbox under its local-part, the full name of its owner, and the last word of that. */
  add({ localPart, domain }: Mailbox, { fullName }: MailboxSettings): void {
    const person = {
      address: formatMailbox({ localPart, domain }),
      ...(fullName === undefined ? {} : { fullName }),
    };
    const words = fullName?.split(' ') ?? [];
    for (const name of new Set([localPart, fullName ?? localPart, words.at(-1) ?? localPart].map(comparable))) {
      const others = this.#people.get(name);
      if (others === undefined) this.#people.set(name, [person]);
      else if (others.length < mostNamesakes) others.push(person);
    }
  }

  /** Everybody of that name, in the order they were added. */
  find(name: string): readonly Person[] {
    return this.#people.get(comparable(name)) ?? [];
  }
}

function comparable(name: string): string {
  return name.normalize('NFC').toLowerCase().trim().replace(/\s+/g, ' ');
}
