import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import { Allowances } from '../filters/allowances.ts';

/** What one login may hand in within an hour. */
export interface LoginLimits {
  readonly messages: number;
  readonly recipients: number;
}

const hour = 60 * 60_000;
/** So many refusals in a row, and the session ends: the client does not listen. */
const mostRefusals = 20;
/** Logins that are remembered; there are more only where users come and go. */
const mostLogins = 10_000;

const tooStubborn = reply(421, '4.7.0', 'Too much mail from this login');

/** Bounds what each login hands in, whatever the number of its sessions (RFC 5068 §3.1). */
export class LoginRates {
  readonly #messages: Allowances;
  readonly #recipients: Allowances;
  /** Refusals by login since something was last allowed to it. */
  readonly #refusals = new Map<string, number>();

  constructor(limits: LoginLimits, now: () => number) {
    const allowances = (times: number) => new Allowances({ times, period: hour, now, mostKeys: mostLogins });
    this.#messages = allowances(limits.messages);
    this.#recipients = allowances(limits.recipients);
  }

  /** Counts a message; the reply when it is one too many. */
  message(login: string): Reply | undefined {
    return this.#answer(login, { wait: this.#messages.take(login), what: 'messages', code: 450 });
  }

  /** Counts a recipient; the reply when it is one too many. */
  recipient(login: string): Reply | undefined {
    return this.#answer(login, { wait: this.#recipients.take(login), what: 'recipients', code: 452 });
  }

  #answer(
    login: string,
    { wait, what, code }: { readonly wait: number | undefined; readonly what: string; readonly code: 450 | 452 },
  ): Reply | undefined {
    if (wait === undefined) {
      this.#refusals.delete(login);
      return undefined;
    }
    const refusals = (this.#refusals.get(login) ?? 0) + 1;
    if (this.#refusals.size >= mostLogins) this.#refusals.clear();
    this.#refusals.set(login, refusals);
    if (refusals > mostRefusals) return tooStubborn;
    return reply(code, '4.7.28', `Too many ${what} from this login; try again in ${Math.ceil(wait / 1000)} seconds`);
  }
}
