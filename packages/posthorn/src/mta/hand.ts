import type { Content, QueuedMessage } from '../queue/queue-store.ts';
import type { InHand } from './ledger.ts';

/** What may be in hand at a time. */
export interface HandLimits {
  readonly messages: number;
  /** Of content in memory. */
  readonly octets: number;
}

const nothing = Promise.resolve();

/** The messages whose attempts are under way, as many as there is room for. */
export class Hand {
  readonly #limits: HandLimits;
  readonly #entries = new Set<InHand>();
  /** Who waits until it is written down what became of a message. */
  readonly #waiting = new Map<InHand, (() => void)[]>();
  #octets = 0;

  constructor(limits: HandLimits) {
    this.#limits = limits;
  }

  /** Messages. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many more there is room for. */
  get room(): number {
    return this.#octets < this.#limits.octets ? Math.max(0, this.#limits.messages - this.#entries.size) : 0;
  }

  /** Takes a message; one job of it is open: the giving out of the others. */
  take(message: QueuedMessage, content: Content): InHand {
    const entry = { message, content, outcomes: new Map(), open: 1, crowded: false, recording: nothing };
    this.#entries.add(entry);
    this.#octets += heldOctets(content);
    return entry;
  }

  /** Lets go of it: all is written down. */
  drop(entry: InHand): void {
    this.#entries.delete(entry);
    this.#octets -= heldOctets(entry.content);
    for (const tell of this.#waiting.get(entry) ?? []) tell();
    this.#waiting.delete(entry);
  }

  /** Resolves when it is written down what becomes of those that are wanted now. */
  async writtenDown(isWanted: (message: QueuedMessage) => boolean): Promise<void> {
    const wanted = [...this.#entries].filter(({ message }) => isWanted(message));
    await Promise.all(wanted.map((entry) => new Promise<void>((resolve) => this.#wait(entry, resolve))));
  }

  #wait(entry: InHand, tell: () => void): void {
    const others = this.#waiting.get(entry);
    if (others === undefined) this.#waiting.set(entry, [tell]);
    else others.push(tell);
  }
}

/** A large content stays in the store: only what is in memory counts. */
function heldOctets(content: Content): number {
  return content.bytes?.length ?? 0;
}
