/** One timer for the earliest of many times. */
export class WakeTimer {
  readonly #now: () => number;
  readonly #wake: () => void;
  /** The longest that it sleeps, in milliseconds: whatever happens unseen is found by then. */
  readonly #longest: number;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = 0;

  constructor(now: () => number, longest: number, wake: () => void) {
    this.#now = now;
    this.#longest = longest;
    this.#wake = wake;
  }

  /** Whether a time is set. */
  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Wakes at this time, unless it does so earlier anyway. */
  by(time: number): void {
    const now = this.#now();
    const wait = Math.min(Math.max(time - now, 0), this.#longest);
    if (this.#timer !== undefined && this.#endsAt <= now + wait) return;
    clearTimeout(this.#timer);
    this.#endsAt = now + wait;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, wait);
  }

  /** Forgets the time that was set. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
