/** Lets so many tasks run at once; others wait in line, and a bounded number of them. */
export class Gate {
  readonly #width: number;
  readonly #line: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `width` tasks run, `line` more wait. */
  constructor(width: number, line: number) {
    this.#width = width;
    this.#line = line;
  }

  /** Runs the task when its turn comes; undefined when the line is full. */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= this.#width) {
      if (this.#waiting.length >= this.#line) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
