import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsFailureDetail, TlsReportPolicy } from '@posthorn/smtp/report/tls-report';
import { makeDirectory, replaceFile } from '../agents/durable-file.ts';
import type { TlsSession } from '../agents/tls-sessions.ts';

/** Milliseconds of a day, which reports are about (RFC 8460 §4.1). */
export const day = 24 * 60 * 60_000;

/** Bounds of what is counted in one day; beyond them nothing new is. */
const mostDomains = 10_000;
const mostPolicies = 20;
const mostDetails = 100;
const longestReason = 200;

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };
type Counted = Omit<Changing<TlsReportPolicy>, 'details'> & {
  readonly details: Map<string, Changing<TlsFailureDetail>>;
};

/** Counts sessions by day, domain and policy, one file for each day (RFC 8460 §4). */
export class TlsTally {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #days = new Map<number, Map<string, Map<string, Counted>>>();
  readonly #changed = new Set<number>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(folder: string, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** Reads what was counted before; `now` is milliseconds since the epoch. Rejects as the file system does. */
  static async open(folder: string, now: () => number): Promise<TlsTally> {
    const tally = new TlsTally(folder, now);
    await makeDirectory(folder);
    for (const name of await readdir(folder)) {
      const number = /^(\d{1,7})\.json$/.exec(name)?.[1];
      if (number === undefined) continue;
      const text = await readFile(join(folder, name), 'utf8');
      for (const policy of parsePolicies(text)) tally.#put(Number(number), policy);
    }
    return tally;
  }

  /** Counts a session of now. */
  record({ policy, failure }: TlsSession): void {
    const number = Math.floor(this.#now() / day);
    const counted = this.#find(number, policy);
    if (counted === undefined) return;
    this.#changed.add(number);
    if (failure === undefined) {
      counted.successes += 1;
      return;
    }
    counted.failures += 1;
    const reason = failure.reason?.slice(0, longestReason);
    const key = [failure.result, failure.host, failure.receivingIp, failure.sendingIp, reason].join('\n');
    const detail = counted.details.get(key);
    if (detail !== undefined) detail.count += 1;
    else if (counted.details.size < mostDetails) {
      counted.details.set(key, { ...failure, ...(reason === undefined ? {} : { reason }), count: 1 });
    }
  }

  /** The days that are over, and are not reported yet: whole days since the epoch. */
  daysOver(): number[] {
    const today = Math.floor(this.#now() / day);
    return [...this.#days.keys()].filter((number) => number < today).sort((a, b) => a - b);
  }

  domainsOf(number: number): string[] {
    return [...(this.#days.get(number)?.keys() ?? [])];
  }

  /** What was counted for a domain. */
  policiesOf(number: number, domain: string): TlsReportPolicy[] {
    const policies = this.#days.get(number)?.get(domain)?.values() ?? [];
    return [...policies].map(({ details, ...policy }) => ({ ...policy, details: [...details.values()] }));
  }

  /** Forgets what was reported. */
  drop(number: number, domain: string): void {
    const domains = this.#days.get(number);
    domains?.delete(domain);
    if (domains?.size === 0) this.#days.delete(number);
    this.#changed.add(number);
  }

  /** Writes what has changed; rejects as the file system does. */
  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#saveNow());
    return this.#saving;
  }

  async #saveNow(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const number of changed) {
      const path = join(this.#folder, `${number}.json`);
      const policies = this.domainsOf(number).flatMap((domain) => this.policiesOf(number, domain));
      try {
        if (policies.length === 0) await rm(path, { force: true });
        else await replaceFile(path, JSON.stringify(policies));
      } catch (error) {
        this.#changed.add(number);
        throw error;
      }
    }
  }

  #find(number: number, { type, lines, domain, mx }: TlsSession['policy']): Counted | undefined {
    const policies = this.#days.get(number)?.get(domain);
    const found = policies?.get(keyOf({ type, lines }));
    if (found !== undefined) return found;
    if (policies === undefined ? (this.#days.get(number)?.size ?? 0) >= mostDomains : policies.size >= mostPolicies) {
      return undefined;
    }
    return this.#put(number, { type, lines, domain, ...(mx && { mx }), successes: 0, failures: 0, details: [] });
  }

  #put(number: number, { details, ...policy }: TlsReportPolicy): Counted {
    const domains = this.#days.get(number) ?? new Map<string, Map<string, Counted>>();
    const policies = domains.get(policy.domain) ?? new Map<string, Counted>();
    const keyed = details.map((detail) => {
      const { result, host, receivingIp, sendingIp, reason } = detail;
      return [[result, host, receivingIp, sendingIp, reason].join('\n'), { ...detail }] as const;
    });
    const counted: Counted = { ...policy, details: new Map(keyed) };
    policies.set(keyOf(policy), counted);
    domains.set(policy.domain, policies);
    this.#days.set(number, domains);
    return counted;
  }
}

function keyOf({ type, lines }: Pick<TlsReportPolicy, 'type' | 'lines'>): string {
  return [type, ...lines].join('\n');
}

/** Files are this program's own: what is cut off or foreign counts as nothing. */
function parsePolicies(text: string): TlsReportPolicy[] {
  try {
    const policies: unknown = JSON.parse(text);
    return Array.isArray(policies) ? (policies as TlsReportPolicy[]) : [];
  } catch {
    return [];
  }
}
