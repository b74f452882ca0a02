import { priorityOf, readDueKey } from './due-key.ts';
import { type DueEntry, DueLane } from './due-lane.ts';
import type { Table } from './table.ts';

/** Of so many messages that are claimed, one is the oldest of all, so that no priority keeps the others waiting for ever. */
const OLDEST_EVERY = 4;
const PRIORITIES = [9, 8, 7, 6, 5, 4, 3, 2, 1, -1, -2, -3, -4, -5, -6, -7, -8, -9];

/** An entry that a lane has next, and how to get the one behind it. */
interface Head {
  entry: DueEntry;
  readonly rest: Generator<DueEntry, void, undefined>;
}

/** The index of due messages: a lane for each priority that is in use, so that others cost nothing (RFC 6710 §5.1). */
export class DueIndex {
  readonly #table: Table;
  readonly #isTaken: (id: string) => boolean;
  readonly #normal: DueLane;
  /** All lanes, that of the highest priority first. */
  #lanes: readonly (readonly [priority: number, lane: DueLane])[];
  #turn = 0;

  constructor(table: Table, isTaken: (id: string) => boolean) {
    this.#table = table;
    this.#isTaken = isTaken;
    this.#normal = new DueLane(table, isTaken, 0);
    this.#lanes = [[0, this.#normal]];
    for (const priority of PRIORITIES) {
      const lane = new DueLane(table, isTaken, priority);
      if (!lane.isEmpty) this.#add(priority, lane);
    }
  }

  /** Tells that the entry is new, or that its message is not leased any more. */
  opened(key: string): void {
    this.#laneOf(priorityOf(key)).opened(key);
  }

  /** The earliest entry that is not leased. */
  first(): { key: string; time: number } | undefined {
    let first: { key: string; time: number } | undefined;
    for (const [, lane] of this.#lanes) {
      for (const { key } of lane.walk()) {
        const { time } = readDueKey(key);
        if (first === undefined || time < first.time) first = { key, time };
        break;
      }
    }
    return first;
  }

  /**
   * The entries that are not leased, due before `end`: the higher priority first, of one the earliest first, and now and
   * then the earliest of all. Whoever walks on has leased the last one.
   */
  walk(end?: number): Iterable<DueEntry> {
    return this.#lanes.length === 1 ? this.#normal.walk(end) : this.#walkAll(end);
  }

  *#walkAll(end: number | undefined): Iterable<DueEntry> {
    const heads: Head[] = [];
    for (const [, lane] of this.#lanes) {
      const rest = lane.walk(end);
      const next = rest.next();
      if (next.done !== true) heads.push({ entry: next.value, rest });
    }
    while (heads.length > 0) {
      this.#turn = (this.#turn + 1) % OLDEST_EVERY;
      const head = this.#turn === 0 ? oldestOf(heads) : (heads[0] as Head);
      yield head.entry;
      const next = head.rest.next();
      if (next.done === true) heads.splice(heads.indexOf(head), 1);
      else head.entry = next.value;
    }
  }

  #laneOf(priority: number): DueLane {
    if (priority === 0) return this.#normal;
    const known = this.#lanes.find(([each]) => each === priority);
    return known?.[1] ?? this.#add(priority, new DueLane(this.#table, this.#isTaken, priority));
  }

  #add(priority: number, lane: DueLane): DueLane {
    this.#lanes = [...this.#lanes, [priority, lane] as const].sort(([one], [other]) => other - one);
    return lane;
  }
}

function oldestOf(heads: readonly Head[]): Head {
  return heads.reduce((oldest, head) => (timeOf(head) < timeOf(oldest) ? head : oldest));
}

function timeOf({ entry }: Head): number {
  return readDueKey(entry.key).time;
}
