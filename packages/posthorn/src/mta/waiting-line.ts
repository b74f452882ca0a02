import type { Waiting } from './destinations.ts';

/** Of so many jobs that begin, one is the oldest of all, so that no priority keeps the others waiting for ever. */
const oldestEvery = 4;

interface Numbered {
  readonly waiting: Waiting;
  readonly number: number;
}

/** Jobs that wait for one next hop: the higher priority first, within one in the order they came (RFC 6710 §5.1). */
export class WaitingLine {
  length = 0;
  readonly #lanes = new Map<number, Numbered[]>();
  /** Priorities that were ever waited with here, highest first. */
  #order: readonly number[] = [];
  #count = 0;
  #turn = 0;

  push(waiting: Waiting): void {
    const priority = waiting.job.envelope.priority ?? 0;
    const lane = this.#lanes.get(priority) ?? this.#open(priority);
    lane.push({ waiting, number: this.#count });
    this.#count += 1;
    this.length += 1;
  }

  shift(): Waiting | undefined {
    if (this.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % oldestEvery;
    const lane = this.#turn === 0 ? this.#oldest() : this.#highest();
    this.length -= 1;
    return lane?.shift()?.waiting;
  }

  /** Takes out the last one of the lowest priority, if that is lower than the given one. */
  displace(priority: number): Waiting | undefined {
    const lowest = this.#order.findLast((each) => this.#laneOf(each).length > 0);
    if (lowest === undefined || lowest >= priority) return undefined;
    this.length -= 1;
    return this.#laneOf(lowest).pop()?.waiting;
  }

  /** Takes all out. */
  clear(): Waiting[] {
    const all = [...this.#lanes.values()].flat().map(({ waiting }) => waiting);
    this.#lanes.clear();
    this.#order = [];
    this.length = 0;
    return all;
  }

  #open(priority: number): Numbered[] {
    const lane: Numbered[] = [];
    this.#lanes.set(priority, lane);
    this.#order = [...this.#lanes.keys()].sort((one, other) => other - one);
    return lane;
  }

  #laneOf(priority: number): Numbered[] {
    return this.#lanes.get(priority) ?? [];
  }

  #highest(): Numbered[] | undefined {
    for (const priority of this.#order) {
      const lane = this.#laneOf(priority);
      if (lane.length > 0) return lane;
    }
    return undefined;
  }

  #oldest(): Numbered[] | undefined {
    let oldest: Numbered[] | undefined;
    for (const lane of this.#lanes.values()) {
      const number = lane[0]?.number ?? Number.POSITIVE_INFINITY;
      if (number < (oldest?.[0]?.number ?? Number.POSITIVE_INFINITY)) oldest = lane;
    }
    return oldest;
  }
}
