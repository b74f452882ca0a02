const minute = 60_000;
/** Clients that are remembered for a minute; behind that all are counted anew. */
const most = 10_000;

/** Bounds how often each client may ask for something within a minute. */
export class RequestRate {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #counts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Counts a request; false when it is one too many. */
  take(client: string): boolean {
    const now = this.#now();
    if (now - this.#since >= minute || now < this.#since || this.#counts.size >= most) {
      this.#counts.clear();
      this.#since = now;
    }
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count <= this.#perMinute;
  }
}
