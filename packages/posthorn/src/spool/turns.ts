/** Runs what is done to one thing one after the other, and to different things at once. */
export class Turns {
  readonly #running = new Map<string, Promise<unknown>>();

  /** Whether something is being done to it. */
  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Runs when all that was begun before is over. */
  async run<T>(id: string, work: () => Promise<T>): Promise<T> {
    for (let last = this.#running.get(id); last !== undefined; last = this.#running.get(id)) await last;
    const running = work();
    const over = running.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(id, over);
    try {
      return await running;
    } finally {
      this.#running.delete(id);
    }
  }
}
