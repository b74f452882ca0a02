import { type DmarcRecord, isDmarcRecord, parseDmarcRecord } from './dmarc-record.ts';
import type { Lookups } from './lookups.ts';

/** A record, and the domain that has it. */
export interface Placed {
  readonly domain: string;
  readonly record: DmarcRecord;
}

/** Labels that are left of a name that has as many or more, once its own record was asked for (RFC 9989 §4.10). */
const labelsLeft = 7;

/** A look-up failed: nothing can be said for now. */
export class DmarcUnknown extends Error {}

/** Walks from domains towards the root of the name system; each name is looked up once (RFC 9989 §4.10). */
export class DmarcTree {
  readonly #lookups: Pick<Lookups, 'txt'>;
  readonly #known = new Map<string, Promise<DmarcRecord | undefined>>();

  constructor(lookups: Pick<Lookups, 'txt'>) {
    this.#lookups = lookups;
  }

  /** The record of this very domain. Rejects with DmarcUnknown. */
  recordOf(domain: string): Promise<DmarcRecord | undefined> {
    const known = this.#known.get(domain) ?? this.#read(domain);
    this.#known.set(domain, known);
    return known;
  }

  /** The domain under which one organization has all of its own (RFC 9989 §4.10.2). Rejects with DmarcUnknown. */
  async organizationOf(domain: string): Promise<string> {
    const found = await this.#walk(domain);
    const own = found.find(({ record }) => record.psd === 'n');
    if (own !== undefined) return own.domain;
    const suffix = found.find(({ domain: name, record }) => record.psd === 'y' && name !== domain);
    if (suffix !== undefined) return oneBelow(suffix.domain, domain);
    return found.at(-1)?.domain ?? domain;
  }

  /** The record that counts for mail of a domain: its own, that of its organization, that of a public suffix (RFC 9989 §4.10.1). */
  async policyOf(domain: string): Promise<Placed | undefined> {
    const own = await this.recordOf(domain);
    if (own !== undefined) return { domain, record: own };
    const organization = await this.organizationOf(domain);
    const record = await this.recordOf(organization);
    if (record !== undefined) return { domain: organization, record };
    return (await this.#walk(domain)).find((placed) => placed.record.psd === 'y');
  }

  /** The records on the way, from the domain on; at most eight names are looked up. */
  async #walk(domain: string): Promise<Placed[]> {
    const found: Placed[] = [];
    for (const name of namesOnTheWay(domain)) {
      const record = await this.recordOf(name);
      if (record === undefined) continue;
      found.push({ domain: name, record });
      if (record.psd !== 'u') break;
    }
    return found;
  }

  async #read(domain: string): Promise<DmarcRecord | undefined> {
    const answer = await this.#lookups.txt(`_dmarc.${domain}`);
    if (answer.kind === 'failed') throw new DmarcUnknown(`the policy of ${domain} cannot be looked up now`);
    const records = answer.kind === 'found' ? answer.records.filter(isDmarcRecord) : [];
    const [text, second] = records;
    return text === undefined || second !== undefined ? undefined : parseDmarcRecord(text);
  }
}

function namesOnTheWay(domain: string): string[] {
  const labels = domain.split('.');
  const most = Math.min(labels.length - 1, labelsLeft);
  return [domain, ...Array.from({ length: most }, (_, step) => labels.slice(step - most).join('.'))];
}

function oneBelow(suffix: string, domain: string): string {
  const count = suffix.split('.').length + 1;
  return domain.split('.').slice(-count).join('.');
}
