/** Keeps values until their time is up; the one not used for longest makes room (RFC 1034 §5.3.3). */
export class AnswerCache<T> {
  readonly #size: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, { readonly value: T; readonly expires: number }>();

  /** `size` in entries; `now` in milliseconds since any moment. */
  constructor(size: number, now: () => number) {
    this.#size = size;
    this.#now = now;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expires <= this.#now()) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value for `ttl` seconds. */
  set(key: string, value: T, ttl: number): void {
    this.#entries.delete(key);
    if (ttl <= 0 || this.#size <= 0) return;
    this.#entries.set(key, { value, expires: this.#now() + ttl * 1000 });
    if (this.#entries.size <= this.#size) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest as string);
  }
}
