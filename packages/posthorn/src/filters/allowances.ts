/** How often something is allowed. */
export interface AllowanceRules {
  /** Times within a period. */
  readonly times: number;
  /** Milliseconds. */
  readonly period: number;
  readonly now: () => number;
  /** Keys that are remembered, 100,000 by default; the one that was not asked for longest is forgotten first. */
  readonly mostKeys?: number;
}

interface Allowance {
  left: number;
  /** When that was so, in milliseconds. */
  at: number;
}

/** Counts by key what may be done so often in a period. What was used refills evenly, so that nobody waits for the end of one. */
export class Allowances {
  readonly #rules: Required<AllowanceRules>;
  /** In the order in which they were last asked for. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(rules: AllowanceRules) {
    this.#rules = { mostKeys: 100_000, ...rules };
  }

  /** Counts one more; undefined when it is allowed, else how many milliseconds it would have to wait. */
  take(key: string): number | undefined {
    const { times, period } = this.#rules;
    const allowance = this.#refilled(key);
    if (allowance.left >= 1) {
      allowance.left -= 1;
      return undefined;
    }
    return ((1 - allowance.left) * period) / times;
  }

  #refilled(key: string): Allowance {
    const { times, period, now, mostKeys } = this.#rules;
    const at = now();
    const known = this.#allowances.get(key);
    const allowance = known ?? { left: times, at };
    if (known === undefined && this.#allowances.size >= mostKeys) {
      const [oldest] = this.#allowances.keys();
      this.#allowances.delete(oldest as string);
    }
    this.#allowances.delete(key);
    this.#allowances.set(key, allowance);
    allowance.left = Math.min(times, allowance.left + (Math.max(0, at - allowance.at) / period) * times);
    allowance.at = at;
    return allowance;
  }
}
