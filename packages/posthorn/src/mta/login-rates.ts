import { type Reply, reply } from '@posthorn/smtp/reply/reply';

/** What one login may hand in within an hour. */
export interface LoginLimits {
  readonly messages: number;
  readonly recipients: number;
}

/** What a login has left; it refills evenly, so that nobody waits for the end of an hour. */
interface Allowance {
  messages: number;
  recipients: number;
  /** When that was so, in milliseconds since the epoch. */
  at: number;
  /** Refusals since something was last allowed. */
  refusals: number;
}

const hour = 60 * 60_000;
/** So many in a row, and the session ends: the client does not listen. */
const mostRefusals = 20;
/** Logins that are remembered; there are more only where users come and go. */
const mostLogins = 10_000;

const tooStubborn = reply(421, '4.7.0', 'Too much mail from this login');

/** Bounds what each login hands in, whatever the number of its sessions (RFC 5068 §3.1). */
export class LoginRates {
  readonly #limits: LoginLimits;
  readonly #now: () => number;
  readonly #allowances = new Map<string, Allowance>();

  constructor(limits: LoginLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts a message; the reply when it is one too many. */
  message(login: string): Reply | undefined {
    return this.#take(login, 'messages', 450);
  }

  /** Counts a recipient; the reply when it is one too many. */
  recipient(login: string): Reply | undefined {
    return this.#take(login, 'recipients', 452);
  }

  #take(login: string, what: 'messages' | 'recipients', code: 450 | 452): Reply | undefined {
    const allowance = this.#refilled(login);
    if (allowance[what] >= 1) {
      allowance[what] -= 1;
      allowance.refusals = 0;
      return undefined;
    }
    allowance.refusals += 1;
    if (allowance.refusals > mostRefusals) return tooStubborn;
    const seconds = Math.ceil(((1 - allowance[what]) * hour) / this.#limits[what] / 1000);
    return reply(code, '4.7.28', `Too many ${what} from this login; try again in ${seconds} seconds`);
  }

  #refilled(login: string): Allowance {
    const now = this.#now();
    let allowance = this.#allowances.get(login);
    if (allowance === undefined) {
      if (this.#allowances.size >= mostLogins) this.#forget(now);
      allowance = { ...this.#limits, at: now, refusals: 0 };
      this.#allowances.set(login, allowance);
    }
    const part = Math.max(0, now - allowance.at) / hour;
    allowance.messages = Math.min(this.#limits.messages, allowance.messages + part * this.#limits.messages);
    allowance.recipients = Math.min(this.#limits.recipients, allowance.recipients + part * this.#limits.recipients);
    allowance.at = now;
    return allowance;
  }

  /** Who has sent nothing for an hour has all of it again. */
  #forget(now: number): void {
    for (const [login, { at }] of this.#allowances) if (now - at >= hour) this.#allowances.delete(login);
    const [oldest] = this.#allowances.keys();
    if (this.#allowances.size >= mostLogins && oldest !== undefined) this.#allowances.delete(oldest);
  }
}
