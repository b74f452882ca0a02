import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { formatStsPolicy, parseStsPolicy, type StsPolicy } from '../routing/sts-policy.ts';
import { makeDirectory, replaceFile } from './durable-file.ts';

/** A policy that was fetched. */
export interface KeptPolicy {
  readonly policy: StsPolicy;
  /** That of the record when it was fetched. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
}

/** Domains, and octets of their policies, that are kept; those not used for longest go first. */
const mostDomains = 10_000;
const mostOctets = 16 * 2 ** 20;

/** Policies by domain, one file for each, as they outlive their records and this process (RFC 8461 §5.1). */
export class StsCache {
  readonly #folder: string;
  /** In order of last use. */
  readonly #kept = new Map<string, { readonly entry: KeptPolicy; readonly octets: number }>();
  readonly #writes: boolean;
  #octets = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, writes: boolean) {
    this.#folder = folder;
    this.#writes = writes;
  }

  /** Reads what is there; files that are none of it are left alone. Rejects as the file system does, unless it only reads. */
  static async open(folder: string, { readOnly = false } = {}): Promise<StsCache> {
    const cache = new StsCache(folder, !readOnly);
    if (!readOnly) await makeDirectory(folder);
    for (const name of readOnly ? await readdir(folder).catch(() => []) : await readdir(folder)) {
      if (normalizeDomain(name) !== name) continue;
      const entry = parseEntry(await readFile(join(folder, name), 'utf8').catch(() => ''));
      if (entry !== undefined) cache.#keep(name, entry);
    }
    return cache;
  }

  get domains(): readonly string[] {
    return [...this.#kept.keys()];
  }

  get(domain: string): KeptPolicy | undefined {
    const kept = this.#kept.get(domain);
    if (kept === undefined) return undefined;
    this.#kept.delete(domain);
    this.#kept.set(domain, kept);
    return kept.entry;
  }

  /** Keeps a policy; resolves when it is on disk, rejects as the file system does. */
  set(domain: string, entry: KeptPolicy): Promise<void> {
    const forgotten = this.#keep(domain, entry);
    return this.#queue(async () => {
      await replaceFile(join(this.#folder, domain), formatEntry(entry));
      for (const name of forgotten) await rm(join(this.#folder, name), { force: true });
    });
  }

  delete(domain: string): Promise<void> {
    this.#octets -= this.#kept.get(domain)?.octets ?? 0;
    this.#kept.delete(domain);
    return this.#queue(() => rm(join(this.#folder, domain), { force: true }));
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #queue(work: () => Promise<void>): Promise<void> {
    if (!this.#writes) return Promise.resolve();
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  /** The domains that have to make room. */
  #keep(domain: string, entry: KeptPolicy): string[] {
    const octets = formatEntry(entry).length + domain.length;
    this.#octets += octets - (this.#kept.get(domain)?.octets ?? 0);
    this.#kept.delete(domain);
    this.#kept.set(domain, { entry, octets });
    const forgotten: string[] = [];
    for (const [oldest, { octets }] of this.#kept) {
      if (this.#kept.size <= mostDomains && this.#octets <= mostOctets) break;
      this.#kept.delete(oldest);
      this.#octets -= octets;
      forgotten.push(oldest);
    }
    return forgotten;
  }
}

/** A line with id and time, then the policy as it is served. */
function formatEntry({ id, fetchedAt, policy }: KeptPolicy): string {
  return `${id} ${fetchedAt}\n${formatStsPolicy(policy)}`;
}

function parseEntry(text: string): KeptPolicy | undefined {
  const end = text.indexOf('\n');
  const head = /^([a-z\d]{1,32}) (\d{1,15})$/i.exec(text.slice(0, Math.max(end, 0)));
  const policy = parseStsPolicy(text.slice(end + 1));
  return head === null || policy === undefined
    ? undefined
    : { policy, id: head[1] as string, fetchedAt: Number(head[2]) };
}
