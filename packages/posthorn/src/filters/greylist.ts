import { createHash } from 'node:crypto';
import { clientNetwork } from '@posthorn/smtp/address/client-network';

/** How long greylisting makes unknown clients wait; milliseconds (RFC 6647 §5). */
export interface GreylistRules {
  /** A retry before this is too early. */
  readonly delay: number;
  /** A retry behind this is a new first try. */
  readonly window: number;
  /** Clients without traffic are forgotten then. */
  readonly keep: number;
  /** Entries that are kept; those that were not used longest go first. */
  readonly entries: number;
}

/** What greylisting knows under one key: when a triple was first tried, or when a client that passed was last here. */
export interface GreyEntry {
  readonly key: string;
  readonly kind: 'tried' | 'passed';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Who tries to send what to whom. */
export interface GreyTriple {
  /** The client's address. */
  readonly client: string;
  readonly sender: string;
  readonly recipient: string;
}

/** Has to be told what changes, so that it outlives the process. */
type Remember = (entry: GreyEntry) => void;

/** A client that has passed is noted anew when it comes again behind so long. */
const noteInterval = 3_600_000;

/**
 * Tells clients that try again from those that never do. The key is the client's network, the sender and the first
 * recipient; who has passed once, passes whatever the envelope (RFC 6647 §5).
 */
export class Greylist {
  readonly #rules: GreylistRules;
  readonly #remember: Remember;
  /** In the order of their last use. */
  readonly #entries = new Map<string, GreyEntry>();

  constructor(rules: GreylistRules, remember: Remember, entries: Iterable<GreyEntry> = []) {
    this.#rules = rules;
    this.#remember = remember;
    for (const entry of entries) this.#put(entry);
  }

  /** Milliseconds that a client has to wait before it tries again; undefined when it passes. */
  check(triple: GreyTriple, now: number): number | undefined {
    const { delay, window, keep } = this.#rules;
    const client = clientKey(triple.client);
    const passed = this.#entries.get(client);
    if (passed !== undefined && now - passed.at < keep) {
      if (now - passed.at >= noteInterval) this.#note({ ...passed, at: now });
      return undefined;
    }
    const key = tripleKey(triple);
    const tried = this.#entries.get(key);
    const age = tried === undefined ? Number.POSITIVE_INFINITY : now - tried.at;
    if (age < 0 || age >= window) {
      this.#note({ key, kind: 'tried', at: now });
      return delay;
    }
    if (age < delay) return delay - age;
    this.#note({ key: client, kind: 'passed', at: now });
    return undefined;
  }

  /** What is still of use, in the order of its last use. */
  *entries(now: number): Iterable<GreyEntry> {
    const { window, keep } = this.#rules;
    for (const entry of this.#entries.values())
      if (now - entry.at < (entry.kind === 'tried' ? window : keep)) yield entry;
  }

  #note(entry: GreyEntry): void {
    this.#put(entry);
    this.#remember(entry);
  }

  #put(entry: GreyEntry): void {
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    if (this.#entries.size <= this.#rules.entries) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest as string);
  }
}

/** Large senders try again from another host next to the first (RFC 6647 §5). */
function greyNetwork(address: string): string {
  const parts = address.split('.');
  return parts.length === 4 ? parts.slice(0, 3).join('.') : clientNetwork(address);
}

function clientKey(client: string): string {
  return `c${digest([greyNetwork(client)])}`;
}

function tripleKey({ client, sender, recipient }: GreyTriple): string {
  return `t${digest([greyNetwork(client), sender.toLowerCase(), recipient.toLowerCase()])}`;
}

/** Short, and nobody reads in it who writes to whom. */
function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
