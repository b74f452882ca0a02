import type { Step } from './client-step.ts';

/** How many answered steps are kept before the list is cut. */
const longestTail = 64;

/** Steps in their order, with two cursors: the first that has not gone out, and the first whose reply has not come. */
export class StepList {
  readonly #steps: Step[] = [];
  #sent = 0;
  #answered = 0;

  /** Whether every step that has gone out has its reply. */
  get isIdle(): boolean {
    return this.#answered === this.#sent;
  }

  /** The step that is to go out next. */
  get next(): Step | undefined {
    return this.#sent < this.#steps.length ? this.#steps[this.#sent] : undefined;
  }

  /** The step that went out last. */
  get last(): Step | undefined {
    return this.#steps[this.#sent - 1];
  }

  /** The step whose reply is awaited. */
  get awaited(): Step | undefined {
    return this.#answered < this.#sent ? this.#steps[this.#answered] : undefined;
  }

  /** The first step without a reply, whether it has gone out or not. */
  get first(): Step | undefined {
    return this.#steps[this.#answered];
  }

  add(...steps: readonly Step[]): void {
    this.#steps.push(...steps);
  }

  /** The next step has gone out. */
  sent(): void {
    this.#sent += 1;
  }

  /** The first step has its reply. */
  answered(): void {
    this.#answered += 1;
  }

  /** Empties the list when it is used up, and cuts it when it has become long. */
  tidy(): void {
    if (this.#answered < this.#steps.length && this.#answered < longestTail) return;
    this.#steps.splice(0, this.#answered);
    this.#sent -= this.#answered;
    this.#answered = 0;
  }

  clear(): void {
    this.#steps.length = 0;
    this.#sent = 0;
    this.#answered = 0;
  }
}
