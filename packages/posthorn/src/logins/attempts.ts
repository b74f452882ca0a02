import { clientNetwork } from '@posthorn/smtp/address/client-network';

/** How often logging in may fail. */
export interface AttemptLimits {
  /** Failures of one client network in a period. */
  readonly addressFailures: number;
  /** Failures of one login in a period, from networks that it never succeeded from. */
  readonly loginFailures: number;
  /** Milliseconds in which what failed is forgotten, evenly. */
  readonly period: number;
}

interface Tally {
  failures: number;
  /** When that was so. */
  at: number;
}

/** Logins and networks that are remembered, each; beyond, the one that failed longest ago is forgotten. */
const most = 20_000;
/** Periods that the longest wait takes. */
const mostPeriods = 5;

/**
 * Bounds guesses at passwords, over all sessions. Who guesses a login from afar cannot keep its owner out: where it once
 * succeeded from, it does not count against it (RFC 4954 §9).
 */
export class LoginAttempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  readonly #networks = new Map<string, Tally>();
  readonly #logins = new Map<string, Tally>();
  readonly #succeeded = new Set<string>();

  constructor(limits: AttemptLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Whether an attempt is not to be looked at; `login` is empty where none is named. */
  isTooMany(address: string, login: string): boolean {
    const network = clientNetwork(address);
    if (this.#failuresOf(this.#networks, network) > this.#limits.addressFailures - 1) return true;
    if (login === '' || this.#succeeded.has(pair(network, login))) return false;
    return this.#failuresOf(this.#logins, login) > this.#limits.loginFailures - 1;
  }

  failed(address: string, login: string): void {
    const network = clientNetwork(address);
    this.#count(this.#networks, network, this.#limits.addressFailures);
    if (login !== '' && !this.#succeeded.has(pair(network, login))) {
      this.#count(this.#logins, login, this.#limits.loginFailures);
    }
  }

  succeeded(address: string, login: string): void {
    const key = pair(clientNetwork(address), login);
    this.#succeeded.delete(key);
    this.#succeeded.add(key);
    const [oldest] = this.#succeeded;
    if (this.#succeeded.size > most && oldest !== undefined) this.#succeeded.delete(oldest);
  }

  /** What is left of the failures: they are forgotten evenly, so that nobody waits for the end of a period. */
  #failuresOf(tallies: Map<string, Tally>, key: string): number {
    const tally = tallies.get(key);
    if (tally === undefined) return 0;
    const limit = tallies === this.#networks ? this.#limits.addressFailures : this.#limits.loginFailures;
    const forgotten = (Math.max(0, this.#now() - tally.at) / this.#limits.period) * limit;
    return Math.max(0, tally.failures - forgotten);
  }

  #count(tallies: Map<string, Tally>, key: string, limit: number): void {
    // Many at once may be looked at before the first of them is found to fail: all of them count, within reason.
    const failures = Math.min(mostPeriods * limit, this.#failuresOf(tallies, key) + 1);
    tallies.delete(key);
    tallies.set(key, { failures, at: this.#now() });
    const [oldest] = tallies.keys();
    if (tallies.size > most && oldest !== undefined) tallies.delete(oldest);
  }
}

function pair(network: string, login: string): string {
  return `${network} ${login}`;
}
