import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Envelope } from '../queue/envelope.ts';
import type { QueueStore } from '../queue/queue-store.ts';

/** How many messages may wait for their release at a time. */
interface HeldLimits {
  /** Of one login. */
  readonly perUser: number;
  readonly total: number;
}

/** What held messages are counted with. */
export interface HeldQuotaParts {
  readonly store: Pick<QueueStore, 'list' | 'get'>;
  readonly limits: HeldLimits;
  readonly now: () => number;
}

const tooManyOfUser = reply(552, '5.2.2', 'Too many of your messages wait for their release');
const tooMany = reply(452, '4.3.1', 'Too many messages wait for their release');
const notNow = reply(455, '4.3.0', 'No message can be held now');
/** Messages that are looked at before others have their turn. */
const atOnce = 200;

/** Counts the messages that are held for each login, so that nobody fills the store with mail for later (RFC 4865 §6). */
export class HeldQuota {
  readonly #parts: HeldQuotaParts;
  /** By login: when each message is released. */
  readonly #held = new Map<string, Map<string, number>>();
  #read: Promise<void> | undefined;

  constructor(parts: HeldQuotaParts) {
    this.#parts = parts;
  }

  /** The refusal of one more message; undefined when there is room for it. */
  async check(login: string): Promise<Reply | undefined> {
    const { limits } = this.#parts;
    try {
      this.#read ??= this.#readStore();
      await this.#read;
      if (this.#count(login) >= limits.perUser && !(await this.#hasRoom(login))) return tooManyOfUser;
    } catch {
      this.#read = undefined;
      return notNow;
    }
    return this.#total() >= limits.total ? tooMany : undefined;
  }

  /** Counts a message that was taken; others than held ones are none. */
  add({ id, heldUntil, origin }: Pick<Envelope, 'id' | 'heldUntil' | 'origin'>): void {
    if (heldUntil === undefined || heldUntil <= this.#parts.now()) return;
    const login = origin.login ?? origin.clientAddress;
    const held = this.#held.get(login) ?? new Map<string, number>();
    held.set(id, heldUntil);
    this.#held.set(login, held);
  }

  async #readStore(): Promise<void> {
    let seen = 0;
    for await (const { envelope } of this.#parts.store.list({ limit: Number.POSITIVE_INFINITY })) {
      this.add(envelope);
      seen += 1;
      if (seen % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Some may have been deleted, or given back. */
  async #hasRoom(login: string): Promise<boolean> {
    const held = this.#held.get(login) ?? new Map<string, number>();
    for (const id of [...held.keys()]) if ((await this.#parts.store.get(id)) === undefined) held.delete(id);
    return held.size < this.#parts.limits.perUser;
  }

  #count(login: string): number {
    const held = this.#held.get(login);
    if (held === undefined) return 0;
    const now = this.#parts.now();
    for (const [id, until] of held) if (until <= now) held.delete(id);
    if (held.size === 0) this.#held.delete(login);
    return held.size;
  }

  #total(): number {
    let total = 0;
    for (const login of [...this.#held.keys()]) total += this.#count(login);
    return total;
  }
}
