import { AnswerCache } from '../dns/answer-cache.ts';
import type { Resolver } from '../dns/resolver.ts';
import { type StsPolicy, stsPolicyId } from '../routing/sts-policy.ts';
import type { FetchedPolicy } from './fetch-sts-policy.ts';
import type { StsCache } from './sts-cache.ts';

/** What policies are found with. */
export interface StsPoliciesParts {
  readonly resolver: Pick<Resolver, 'txt'>;
  readonly fetch: (domain: string) => Promise<FetchedPolicy>;
  readonly cache: StsCache;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Gets what went wrong with the files of the cache. */
  readonly onError: (error: unknown) => void;
}

/** What is known about the policy of a domain. */
export interface FoundPolicy {
  /** The one in force. */
  readonly policy?: StsPolicy;
  /** Why a new one could not be fetched, where the domain offers one. */
  readonly failed?: Extract<FetchedPolicy, { kind: 'failed' }>;
}

/** A failed fetch is not repeated within these seconds (RFC 8461 §3.3). */
const failurePause = 300;
/** Milliseconds after which a policy is fetched anew, whatever its record says (RFC 8461 §3.3). */
const refreshAge = 24 * 60 * 60_000;
const sweepInterval = 60 * 60_000;
const mostFailures = 10_000;

/** Knows the policies of domains about TLS with their hosts: fetched when new, kept as long as they hold (RFC 8461 §5.1). */
export class StsPolicies {
  readonly #parts: StsPoliciesParts;
  readonly #failures: AnswerCache<Extract<FetchedPolicy, { kind: 'failed' }>>;
  readonly #running = new Map<string, Promise<FetchedPolicy>>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(parts: StsPoliciesParts) {
    this.#parts = parts;
    this.#failures = new AnswerCache(mostFailures, parts.now);
    this.#timer = setInterval(() => void this.refresh(), sweepInterval).unref();
  }

  /** The policy of a domain; rejects with Failure `aborted` alone. */
  async find(domain: string, signal?: AbortSignal): Promise<FoundPolicy> {
    const answer = await this.#parts.resolver.txt(`_mta-sts.${domain}`, signal);
    const id = answer.kind === 'found' ? stsPolicyId(answer.records) : undefined;
    const kept = this.#inForce(domain);
    // What nobody offers any more holds until its time is over.
    if (id === undefined || kept?.id === id) return kept === undefined ? {} : { policy: kept.policy };
    const fetched = await this.#fetch(domain, id);
    if (fetched.kind === 'policy') return { policy: fetched.policy };
    return { failed: fetched, ...(kept === undefined ? {} : { policy: kept.policy }) };
  }

  /** Fetches anew what is kept for a day or half of its time, so that no attack can wait for its end (RFC 8461 §10.2). */
  async refresh(): Promise<void> {
    const { cache, now } = this.#parts;
    for (const domain of cache.domains) {
      if (this.#closed) return;
      const kept = this.#inForce(domain);
      if (kept === undefined) {
        await cache.delete(domain).catch(this.#parts.onError);
        continue;
      }
      const age = now() - kept.fetchedAt;
      if (age >= Math.min(refreshAge, (kept.policy.maxAge * 1000) / 2)) await this.#fetch(domain, kept.id);
    }
  }

  /** Ends refreshing, and waits for what is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#parts.cache.close();
  }

  #inForce(domain: string) {
    const { cache, now } = this.#parts;
    const kept = cache.get(domain);
    return kept !== undefined && now() < kept.fetchedAt + kept.policy.maxAge * 1000 ? kept : undefined;
  }

  #fetch(domain: string, id: string): Promise<FetchedPolicy> {
    const failure = this.#failures.get(`${domain} ${id}`);
    if (failure !== undefined) return Promise.resolve(failure);
    let running = this.#running.get(domain);
    if (running === undefined) {
      running = this.#fetchNow(domain, id).finally(() => this.#running.delete(domain));
      this.#running.set(domain, running);
    }
    return running;
  }

  async #fetchNow(domain: string, id: string): Promise<FetchedPolicy> {
    const { fetch, cache, now, onError } = this.#parts;
    const fetched = await fetch(domain);
    if (fetched.kind === 'failed') this.#failures.set(`${domain} ${id}`, fetched, failurePause);
    else void cache.set(domain, { policy: fetched.policy, id, fetchedAt: now() }).catch(onError);
    return fetched;
  }
}
