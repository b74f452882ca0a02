import { asciiDomain } from '@posthorn/smtp/address/domain';
import { mailboxesOf, parseAddressList } from '@posthorn/smtp/message/address-list';
import type { HeaderField } from '@posthorn/smtp/message/header';
import type { SpfResult } from './check-spf.ts';
import { type DmarcPolicy, lessened, policyFor } from './dmarc-record.ts';
import { DmarcTree, DmarcUnknown, type Placed } from './dmarc-tree.ts';
import type { Lookups } from './lookups.ts';
import type { DkimResult } from './verify-dkim.ts';

/** What is known of a message when its author's domain is asked about it. */
export interface DmarcFacts {
  readonly fields: readonly HeaderField[];
  /** What was found of MAIL FROM, or of HELO where that is null (RFC 9989 §4.4.2). */
  readonly spf: { readonly result: SpfResult; readonly domain: string } | undefined;
  readonly dkim: readonly DkimResult[];
}

/** What came of it (RFC 9989 §5.4). */
export interface DmarcResult {
  /** `none`: the domain has no policy. */
  readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror';
  /** The domain in From; absent where there is none. */
  readonly domain?: string;
  /** What is asked for where the result is `fail`, by a domain that means it; else `none`. */
  readonly wanted: DmarcPolicy;
  /** The same before it was lessened for a policy that is only tried out. */
  readonly published: DmarcPolicy;
  /** The record, and where it was found. */
  readonly placed?: Placed;
  readonly dkimAligned: boolean;
  readonly spfAligned: boolean;
  readonly reason?: string;
}

/** Domains in From that are asked; more are the mail of nobody honest. */
const mostAuthors = 4;
const strictness = { none: 0, quarantine: 1, reject: 2 } as const;

/**
 * Asks the domain of the author what it makes of a message; of several authors the strictest answer counts (RFC 9989 §5.3).
 * Rejects only when a look-up does.
 */
export async function evaluateDmarc(facts: DmarcFacts, lookups: Pick<Lookups, 'txt' | 'mx'>): Promise<DmarcResult> {
  const domains = authorDomains(facts.fields);
  if (domains === undefined || domains.length > mostAuthors) return unusable('From does not name one author');
  const tree = new DmarcTree(lookups);
  const results: DmarcResult[] = [];
  for (const domain of domains) results.push(await evaluate(domain, facts, { tree, lookups }));
  const [first = unusable('From names nobody'), ...others] = results;
  return others.reduce((worst, each) => (rank(each) > rank(worst) ? each : worst), first);
}

function unusable(reason: string): DmarcResult {
  return { result: 'permerror', wanted: 'none', published: 'none', dkimAligned: false, spfAligned: false, reason };
}

function rank({ result, wanted }: DmarcResult): number {
  return result === 'fail' ? 2 + strictness[wanted] : result === 'temperror' ? 1 : 0;
}

/** The domains of all authors, each once, as A-labels; undefined where From cannot be read (RFC 9989 §4.4). */
export function authorDomains(fields: readonly HeaderField[]): string[] | undefined {
  const lists = fields.filter(({ name }) => name === 'from').map(({ value }) => parseAddressList(value));
  if (lists.length === 0 || lists.some((list) => list === undefined)) return undefined;
  const mailboxes = lists.flatMap((list) => mailboxesOf(list ?? []));
  const domains = mailboxes.map(({ mailbox }) => asciiDomain(mailbox.domain));
  return domains.length === 0 || domains.includes(undefined) ? undefined : [...new Set(domains as string[])];
}

interface Means {
  readonly tree: DmarcTree;
  readonly lookups: Pick<Lookups, 'mx'>;
}

async function evaluate(domain: string, facts: DmarcFacts, means: Means): Promise<DmarcResult> {
  const nothing = { domain, wanted: 'none', published: 'none', dkimAligned: false, spfAligned: false } as const;
  try {
    const placed = await means.tree.policyOf(domain);
    if (placed === undefined) return { ...nothing, result: 'none' };
    return { domain, placed, ...(await judge({ domain, placed }, facts, means)) };
  } catch (error) {
    if (!(error instanceof DmarcUnknown)) throw error;
    return { ...nothing, result: 'temperror', reason: error.message };
  }
}

type Judged = Omit<DmarcResult, 'domain' | 'placed'>;

async function judge(
  { domain, placed }: { readonly domain: string; readonly placed: Placed },
  { spf, dkim }: DmarcFacts,
  { tree, lookups }: Means,
): Promise<Judged> {
  const { record } = placed;
  const isAligned = async (other: string | undefined, mode: 'r' | 's') => {
    if (other === undefined || other === domain) return other !== undefined;
    if (mode === 's') return false;
    return (await tree.organizationOf(other)) === (await tree.organizationOf(domain));
  };
  const spfAligned = spf?.result === 'pass' && (await isAligned(asciiDomain(spf.domain), record.spfAlignment));
  let dkimAligned = false;
  for (const each of dkim) {
    if (each.result === 'pass' && !dkimAligned) dkimAligned = await isAligned(each.domain, record.dkimAlignment);
  }
  if (spfAligned || dkimAligned) return { result: 'pass', wanted: 'none', published: 'none', dkimAligned, spfAligned };
  const isUnknown = [spf, ...dkim].some((each) => each?.result === 'temperror');
  const published = await publishedPolicy({ domain, placed }, lookups);
  if (isUnknown) return { result: 'temperror', wanted: 'none', published, dkimAligned, spfAligned };
  const wanted = record.testing ? lessened(published) : published;
  return { result: 'fail', wanted, published, dkimAligned, spfAligned };
}

async function publishedPolicy(
  { domain, placed }: { readonly domain: string; readonly placed: Placed },
  lookups: Pick<Lookups, 'mx'>,
): Promise<DmarcPolicy> {
  const { record } = placed;
  if (placed.domain === domain) return policyFor(record, 'own');
  if (record.nonexistent === undefined) return policyFor(record, 'below');
  // A name that is not there at all answers every question alike (RFC 8020 §2).
  const { kind } = await lookups.mx(domain);
  return policyFor(record, kind === 'absent' ? 'nonexistent' : 'below');
}
