import { setMaxListeners } from 'node:events';

/** Attempts that begin within so many milliseconds share a signal: one of its own would cost more than all else of a job. */
const sharedFor = 10_000;

interface Shift {
  readonly controller: AbortController;
  readonly beganAt: number;
}

/** Ends attempts that take too long, and all of them when asked. */
export class Deadlines {
  readonly #now: () => number;
  readonly #longest: number;
  readonly #shifts: Shift[] = [];

  /** `longest` is what one attempt may take, in milliseconds. */
  constructor(now: () => number, longest: number) {
    this.#now = now;
    this.#longest = longest;
  }

  /** The signal for an attempt that begins now. */
  signal(): AbortSignal {
    const now = this.#now();
    const last = this.#shifts.at(-1);
    if (last !== undefined && now - last.beganAt < sharedFor) return last.controller.signal;
    const controller = new AbortController();
    // Every attempt may listen to it; Node takes more than ten for a leak.
    setMaxListeners(0, controller.signal);
    this.#shifts.push({ controller, beganAt: now });
    return controller.signal;
  }

  /** Ends what is late; to be called now and then. */
  watch(): void {
    const late = this.#now() - this.#longest - sharedFor;
    while (this.#shifts[0] !== undefined && this.#shifts[0].beganAt < late) this.#shifts.shift()?.controller.abort();
  }

  /** Ends all that began. */
  abortAll(): void {
    for (const { controller } of this.#shifts) controller.abort();
  }
}
