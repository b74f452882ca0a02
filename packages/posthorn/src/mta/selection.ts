import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { EtrnRequest } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { DomainQuery, QueuedMessage, QueueStore, RecipientState, Settlement } from '../queue/queue-store.ts';
import { recipientDomain } from '../queue/recipient-domain.ts';
import { parseDomainPattern } from '../routing/domain-pattern.ts';

/** The domains that a request is about. */
export interface Selection {
  /** What to look for; some of it may be no part of the selection. */
  readonly queries: readonly DomainQuery[];
  includes(domain: string): boolean;
}

type Rules = Pick<NonNullable<Config['etrn']>, 'domains' | 'queues'>;

function isBelow(domain: string, other: string): boolean {
  return domain.endsWith(`.${other}`);
}

/** The domains of a request, of those for which it is allowed; undefined when there are none (RFC 1985 §5.3). */
export function selectDomains(
  { kind, name }: EtrnRequest,
  { domains, queues }: Rules,
  relayDomains: ReadonlySet<string>,
): Selection | undefined {
  if (kind === 'queue') return Object.hasOwn(queues, name) ? exactly(queues[name] ?? []) : undefined;
  const patterns = domains ?? [...relayDomains];
  const fits = patterns.map((pattern) => parseDomainPattern(pattern)).filter((pattern) => pattern !== undefined);
  const isAllowed = (domain: string) => fits.some((fit) => fit(domain));
  if (kind === 'node') return isAllowed(name) ? exactly([name]) : undefined;
  const queries = patterns.flatMap((pattern) => queryBelow(pattern, name));
  if (queries.length === 0) return undefined;
  return { queries, includes: (domain) => (domain === name || isBelow(domain, name)) && isAllowed(domain) };
}

function exactly(domains: readonly string[]): Selection {
  return { queries: domains.map((domain) => ({ domain })), includes: (domain) => domains.includes(domain) };
}

/** What of the domain and those below it fits a pattern. */
function queryBelow(pattern: string, name: string): DomainQuery[] {
  if (pattern === '*') return [{ domain: name, below: true }];
  const wide = pattern.startsWith('*.');
  const text = wide ? pattern.slice(2) : pattern;
  const domain = normalizeDomain(text) ?? text;
  if (wide && isBelow(name, domain)) return [{ domain: name, below: true }];
  return domain === name || isBelow(domain, name) ? [{ domain, below: wide }] : [];
}

/** The ids of what waits for the domains; one that waits for several of them may come several times. */
export function* idsOf(store: Pick<QueueStore, 'waitingFor'>, { queries }: Selection): Iterable<string> {
  for (const query of queries) yield* store.waitingFor(query);
}

/** Makes a message due now for its recipients of the selection, and leaves all others their time. */
export function hasten(
  { envelope, state }: QueuedMessage,
  { selection, now }: { readonly selection: Selection; readonly now: number },
): Settlement {
  const waits = envelope.heldUntil !== undefined && envelope.heldUntil > now;
  const isChosen = ({ kind }: RecipientState, index: number) => {
    const domain = recipientDomain(envelope.recipients[index]?.address ?? '');
    return kind === 'pending' && domain !== undefined && selection.includes(domain);
  };
  if (state.held || waits || !state.recipients.some(isChosen)) return { state, reports: [] };
  const recipients = state.recipients.map((each, index): RecipientState => {
    if (each.kind !== 'pending') return each;
    const { due = state.due, ...rest } = each;
    return isChosen(each, index) ? rest : { ...rest, due };
  });
  return { state: { ...state, due: Math.min(state.due, now), recipients }, reports: [] };
}
