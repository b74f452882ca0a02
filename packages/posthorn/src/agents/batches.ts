/** What became of each item of a batch, in its order: undefined, or the reason why it failed. */
export type BatchResult = readonly unknown[];

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Items in one batch, at most. */
const largestBatch = 100;

/**
 * Works off items for the same key one batch after the other: those that come while a batch runs make the next one, and
 * share what a batch costs. Items for different keys do not wait for each other.
 */
export class Batches<T> {
  readonly #run: (key: string, items: readonly T[]) => Promise<BatchResult>;
  readonly #waiting = new Map<string, Waiting<T>[]>();

  /** `run` works a batch off; when it rejects, all of its items have failed. */
  constructor(run: (key: string, items: readonly T[]) => Promise<BatchResult>) {
    this.#run = run;
  }

  /** Resolves when the item is done. */
  add(key: string, item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) {
        waiting.push({ item, resolve, reject });
        return;
      }
      const line = [{ item, resolve, reject }];
      this.#waiting.set(key, line);
      void this.#workOff(key, line);
    });
  }

  async #workOff(key: string, line: Waiting<T>[]): Promise<void> {
    while (line.length > 0) {
      const batch = line.splice(0, largestBatch);
      const items = batch.map(({ item }) => item);
      const failures = await this.#run(key, items).catch((reason: unknown) => items.map(() => reason));
      for (const [index, { resolve, reject }] of batch.entries()) {
        if (failures[index] === undefined) resolve();
        else reject(failures[index]);
      }
    }
    this.#waiting.delete(key);
  }
}
