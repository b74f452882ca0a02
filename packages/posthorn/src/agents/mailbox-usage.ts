import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';

/** A mailbox of this host. */
export interface MailboxPlace {
  readonly kind: 'maildir' | 'mbox';
  readonly path: string;
}

interface Measured {
  octets: number;
  /** When it was measured, in milliseconds since the epoch. */
  readonly at: number;
}

/** Milliseconds that a measure holds, and one that leaves no room: people who have made some should not wait. */
const holds = 60_000;
const fullHolds = 1000;
/** Mailboxes that are remembered, that are measured at a time, and that may wait for it. */
const mostKnown = 10_000;
const mostScans = 4;
const mostWaiting = 1000;
/** Milliseconds that measuring may take. */
const longestScan = 10_000;
const statsAtOnce = 32;

/**
 * Knows how full mailboxes are. What a Maildir holds is counted once in a while, and between by what is delivered into it;
 * names that tell their size cost no further look (Maildir++).
 */
export class MailboxUsage {
  readonly #now: () => number;
  readonly #known = new Map<string, Measured>();
  readonly #running = new Map<string, Promise<Measured>>();
  readonly #waiting: (() => void)[] = [];
  #scans = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether so many octets fit within the quota. Rejects with Failure `limit` or `timeout`, or with the system's error. */
  async hasRoom(place: MailboxPlace, octets: number, quota: number): Promise<boolean> {
    if (octets > quota) return false;
    const fits = (measured: Measured) => measured.octets + octets <= quota;
    return fits(await this.#measure(place, holds)) || fits(await this.#measure(place, fullHolds));
  }

  /** Counts what was delivered, or with a negative number what was not after all. */
  add({ path }: MailboxPlace, octets: number): void {
    const known = this.#known.get(path);
    if (known !== undefined) known.octets += octets;
  }

  async #measure(place: MailboxPlace, age: number): Promise<Measured> {
    const known = this.#known.get(place.path);
    // The size of a file costs no more than to look it up here.
    if (known !== undefined && place.kind === 'maildir' && this.#now() - known.at < age) return known;
    const running = this.#running.get(place.path) ?? this.#start(place);
    return running;
  }

  #start(place: MailboxPlace): Promise<Measured> {
    const { path } = place;
    const running = this.#inTurn(() => octetsOf(place)).then((octets) => {
      const measured = { octets, at: this.#now() };
      if (this.#known.size >= mostKnown) this.#known.clear();
      this.#known.set(path, measured);
      return measured;
    });
    const cleared = running.finally(() => this.#running.delete(path));
    this.#running.set(path, cleared);
    return cleared;
  }

  async #inTurn(scan: () => Promise<number>): Promise<number> {
    if (this.#scans >= mostScans) {
      if (this.#waiting.length >= mostWaiting) throw new Failure('limit', 'Too many mailboxes are measured');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#scans += 1;
    try {
      return await scan();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#scans -= 1;
      else next();
    }
  }
}

async function octetsOf({ kind, path }: MailboxPlace): Promise<number> {
  if (kind === 'mbox') return (await orAbsent(stat(path)))?.size ?? 0;
  const deadline = performance.now() + longestScan;
  const entries = (await orAbsent(readdir(path))) ?? [];
  const folders = ['.', ...entries.filter((name) => name.startsWith('.') && name.length > 1)];
  let octets = 0;
  for (const folder of folders) {
    for (const part of ['new', 'cur']) octets += await octetsIn(join(path, folder, part), deadline);
  }
  return octets;
}

async function octetsIn(folder: string, deadline: number): Promise<number> {
  const names = ((await orAbsent(readdir(folder))) ?? []).filter((name) => !name.startsWith('.'));
  const unsized: string[] = [];
  let octets = 0;
  for (const name of names) {
    const size = /,S=(\d{1,15})(?=[,:]|$)/.exec(name)?.[1];
    if (size === undefined) unsized.push(name);
    else octets += Number(size);
  }
  for (let start = 0; start < unsized.length; start += statsAtOnce) {
    if (performance.now() > deadline) throw new Failure('timeout', 'The mailbox is too large to be measured');
    const batch = unsized.slice(start, start + statsAtOnce).map((name) => orAbsent(stat(join(folder, name))));
    for (const info of await Promise.all(batch)) octets += info?.size ?? 0;
  }
  return octets;
}

/** What is not there yet, or was moved meanwhile, holds nothing. */
async function orAbsent<T>(look: Promise<T>): Promise<T | undefined> {
  return look.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
