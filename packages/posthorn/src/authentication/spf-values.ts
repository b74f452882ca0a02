import { ipv6Groups } from '@posthorn/smtp/address/normalize-address';
import type { SpfQuestion } from './check-spf.ts';

/** The values that the macros of a policy stand for (RFC 7208 §7.2). */
export class SpfValues {
  readonly #question: SpfQuestion;
  readonly #policy: string;
  readonly #validated: () => Promise<string>;

  /** `policy`: the domain whose policy is read now; `validated`: finds the name of the client that is known to be its own. */
  constructor(question: SpfQuestion, policy: string, validated: () => Promise<string>) {
    this.#question = question;
    this.#policy = policy;
    this.#validated = validated;
  }

  /** `letter` in lower case. */
  of(letter: string): string | Promise<string> {
    const { client, domain, hello, receiver, now } = this.#question;
    const localPart = this.#question.localPart === '' ? 'postmaster' : this.#question.localPart;
    switch (letter) {
      case 's':
        return `${localPart}@${domain}`;
      case 'l':
        return localPart;
      case 'o':
        return domain;
      case 'd':
        return this.#policy;
      case 'i':
        return client.includes(':') ? nibbles(client) : client;
      case 'v':
        return client.includes(':') ? 'ip6' : 'in-addr';
      case 'h':
        return hello;
      case 'c':
        return client;
      case 'r':
        return receiver;
      case 't':
        return String(Math.floor(now / 1000));
      default:
        return this.#validated();
    }
  }
}

/** An IPv6 address as the name system has it, not turned round: 32 hexadecimal digits with dots between them. */
function nibbles(address: string): string {
  const groups = ipv6Groups(address) ?? [];
  return [
    ...groups
      .map((group) => group.toString(16).padStart(4, '0'))
      .join('')
      .toUpperCase(),
  ].join('.');
}
