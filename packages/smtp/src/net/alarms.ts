/** One wish to be called at a time. */
export interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/**
 * Many deadlines on one timer: setting and clearing one costs next to nothing, for the timer is only set anew for an
 * earlier deadline, and looks again when it has run down. Times are those of `performance.now`, in milliseconds.
 */
export class Alarms {
  readonly #alarms = new Set<Alarm>();
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  /** Calls `ring` once, `delay` milliseconds from now. */
  set(delay: number, ring: () => void): Alarm {
    const alarm = { at: performance.now() + delay, ring };
    this.#alarms.add(alarm);
    this.#wakeFor(alarm.at);
    return alarm;
  }

  /** Takes an alarm back; one that has rung does not mind. */
  clear(alarm: Alarm | undefined): void {
    if (alarm !== undefined) this.#alarms.delete(alarm);
  }

  /** Takes all back. */
  clearAll(): void {
    this.#alarms.clear();
    clearTimeout(this.#timer);
    this.#wakesAt = Number.POSITIVE_INFINITY;
  }

  #wakeFor(at: number): void {
    if (at >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(this.#wake, Math.min(Math.max(0, at - performance.now()) + 1, 0x7fffffff));
    this.#timer.unref();
  }

  readonly #wake = (): void => {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const alarm of [...this.#alarms]) {
      if (alarm.at > now) next = Math.min(next, alarm.at);
      else if (this.#alarms.delete(alarm)) alarm.ring();
    }
    if (next !== Number.POSITIVE_INFINITY) this.#wakeFor(next);
  };
}
