import { parseTagList } from './tag-list.ts';

/** What a domain wants done with mail that only pretends to be its own (RFC 9989 §4.7). */
export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

/** What a domain has published (RFC 9989 §4.7). */
export interface DmarcRecord {
  readonly policy: DmarcPolicy;
  /** For domains below it. */
  readonly subdomains?: DmarcPolicy;
  /** For domains below it that do not exist. */
  readonly nonexistent?: DmarcPolicy;
  readonly dkimAlignment: 'r' | 's';
  readonly spfAlignment: 'r' | 's';
  /** Whether others register domains right below it: a public suffix; `u`: it does not say. */
  readonly psd: 'y' | 'n' | 'u';
  /** Whether the domain only tries its policy out. */
  readonly testing: boolean;
  /** Where aggregate reports are wanted: URIs. */
  readonly reportsTo: readonly string[];
}

const policies: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject'];
/** Places that one domain gets reports at. */
const mostPlaces = 10;

/** Whether a TXT record is a policy of this version (RFC 9989 §4.7). */
export function isDmarcRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text);
}

/** Reads a record; undefined when it has no policy that could be applied (RFC 9989 §4.7). */
export function parseDmarcRecord(text: string): DmarcRecord | undefined {
  if (!isDmarcRecord(text)) return undefined;
  const tags = readTags(text);
  const word = (tag: string) => tags.get(tag)?.toLowerCase();
  const policyOf = (tag: string) => policies.find((policy) => policy === word(tag));
  const reportsTo = readPlaces(tags.get('rua') ?? '');
  const [policy, subdomains, nonexistent] = [policyOf('p'), policyOf('sp'), policyOf('np')];
  const isFaulty = policy === undefined || (tags.has('sp') && !subdomains) || (tags.has('np') && !nonexistent);
  // Who wants reports at least learns from them that the policy is faulty.
  if (isFaulty && reportsTo.length === 0) return undefined;
  const psd = word('psd');
  return {
    policy: isFaulty ? 'none' : policy,
    ...(isFaulty || subdomains === undefined ? {} : { subdomains }),
    ...(isFaulty || nonexistent === undefined ? {} : { nonexistent }),
    dkimAlignment: word('adkim') === 's' ? 's' : 'r',
    spfAlignment: word('aspf') === 's' ? 's' : 'r',
    psd: psd === 'y' || psd === 'n' ? psd : 'u',
    testing: word('t') === 'y',
    reportsTo,
  };
}

/** Tags that are malformed are passed over, whatever follows them still counts (RFC 9989 §4.7). */
function readTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const part of text.slice(0, 16_384).split(';')) {
    for (const [tag, value] of parseTagList(part) ?? []) if (!tags.has(tag)) tags.set(tag, value);
  }
  return tags;
}

/** What of old stood behind an exclamation mark, the size that is wanted, counts no more. */
function readPlaces(text: string): string[] {
  const places = text.split(',').map((place) => place.trim().replace(/!\d+[kmgt]?$/i, ''));
  return [...new Set(places.filter((place) => /^[a-z][a-z0-9+.-]*:[!-~]{1,500}$/i.test(place)))].slice(0, mostPlaces);
}

/** The policy of a domain that a record is for (RFC 9989 §4.7). */
export function policyFor(record: DmarcRecord, domain: 'own' | 'below' | 'nonexistent'): DmarcPolicy {
  const { policy, subdomains = policy, nonexistent = subdomains } = record;
  return domain === 'own' ? policy : domain === 'below' ? subdomains : nonexistent;
}

/** One step less, as a domain wants that only tries its policy out (RFC 9989 §4.7). */
export function lessened(policy: DmarcPolicy): DmarcPolicy {
  return policy === 'reject' ? 'quarantine' : 'none';
}
