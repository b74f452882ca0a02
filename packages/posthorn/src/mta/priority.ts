import { networkMatcher } from '@posthorn/smtp/address/network';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

type Mail = Transaction['mail'];
type Asking = Pick<Session, 'login' | 'clientAddress'>;

const tooLow = reply(450, '4.7.15', 'Only messages of a higher priority are taken now');
const tooLarge = reply(552, '5.7.16', 'The message is too large for its priority');
const highest = 9;

/** Decides with which priority messages are handled, and which are not taken with theirs (RFC 6710 §4.1). */
export class Priorities {
  readonly #rules: Config['extensions']['priority'];
  readonly #users: () => Config['users'];
  readonly #isTrusted: (address: string) => boolean;
  /** From which priority on a message has at most so many octets. */
  readonly #largest: readonly (readonly [priority: number, octets: number])[];

  constructor(rules: Config['extensions']['priority'], users: () => Config['users']) {
    this.#rules = rules;
    this.#users = users;
    this.#isTrusted = networkMatcher(rules?.trusted ?? []);
    this.#largest = Object.entries(rules?.largest ?? {}).map(([level, octets]) => [Number(level), octets]);
  }

  /** The priority of a message: what its client asked for, as far as it may raise it; undefined when it did not ask. */
  of(session: Asking, { priority }: Mail): number | undefined {
    return priority === undefined || priority <= 0 ? priority : Math.min(priority, this.#most(session));
  }

  /** The reply to MAIL where it is not the usual one. */
  check(session: Asking, mail: Mail): Reply | undefined {
    const priority = this.of(session, mail) ?? 0;
    const refusal = this.#whyNot(priority) ?? this.checkSize(priority, mail.size ?? 0);
    if (refusal !== undefined || mail.priority === undefined || priority === mail.priority) return refusal;
    return reply(250, '2.3.6', `${priority} is the priority of this message`);
  }

  /** The refusal of a message of so many octets; undefined when it may have them (RFC 6710 §5). */
  checkSize(priority: number, size: number): Reply | undefined {
    for (const [level, most] of this.#largest) if (priority >= level && size > most) return tooLarge;
    return undefined;
  }

  #whyNot(priority: number): Reply | undefined {
    return this.#rules !== undefined && priority < this.#rules.lowest ? tooLow : undefined;
  }

  #most({ login, clientAddress }: Asking): number {
    if (this.#isTrusted(clientAddress)) return highest;
    const users = this.#users();
    return login !== undefined && Object.hasOwn(users, login) ? (users[login]?.priority ?? 0) : 0;
  }
}
