import { isIP } from 'node:net';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { Status } from '@posthorn/smtp/reply/reply';
import { shuffle } from './shuffle.ts';

/** One mail exchanger of a domain (RFC 1035 §3.3.9). */
export interface Exchanger {
  readonly preference: number;
  /** In lower case. */
  readonly exchange: string;
}

/** What the name system says about a domain's mail exchangers. */
type ExchangerAnswer =
  | { readonly kind: 'found'; readonly records: readonly Exchanger[] }
  | { readonly kind: 'none' | 'absent' }
  | { readonly kind: 'failed'; readonly text: string };

/** What becomes of mail that finds no host. */
export interface NoHost {
  readonly kind: 'outcome';
  readonly outcomeKind: 'deferred' | 'failed';
  readonly status: Status;
  readonly text: string;
}

/** A domain and what is needed to put its mail exchangers in order. */
export interface ExchangerRequest {
  readonly domain: string;
  readonly answer: ExchangerAnswer;
  /** Names of this host. */
  readonly ownNames: readonly string[];
  /** A number from 0 to below 1, by chance. */
  readonly chance: () => number;
}

/** The hosts to try, in their order, or why there is none. */
export type ExchangerOrder = { readonly kind: 'exchangers'; readonly exchangers: readonly Exchanger[] } | NoHost;

/** Makes what becomes of mail that finds no host. */
export function noHost(outcomeKind: NoHost['outcomeKind'], status: Status, text: string): NoHost {
  return { kind: 'outcome', outcomeKind, status, text };
}

/** That all exchangers left are this host itself (RFC 5321 §5.1). */
export function loopsBack(domain: string): NoHost {
  return noHost('failed', '5.4.6', `Mail for ${domain} loops back to myself`);
}

/**
 * Puts the mail exchangers of a domain in the order they are tried: by preference, those of equal preference by chance;
 * the domain itself when it has none (RFC 5321 §5.1, RFC 7505 §3).
 */
export function orderExchangers({ domain, answer, ownNames, chance }: ExchangerRequest): ExchangerOrder {
  if (answer.kind === 'failed')
    return noHost('deferred', '4.4.3', `The mail exchangers of ${domain} cannot be looked up now`);
  if (answer.kind === 'absent') return noHost('failed', '5.1.2', `The domain ${domain} does not exist`);
  const records = answer.kind === 'found' ? answer.records : [{ preference: 0, exchange: domain }];
  const named = records.filter(({ exchange }) => exchange !== '.');
  if (named.length === 0) return noHost('failed', '5.1.10', `The domain ${domain} accepts no mail (null MX)`);
  const usable = named.filter(({ exchange }) => isHostName(exchange));
  if (usable.length === 0) return noHost('failed', '5.4.4', `No mail exchanger of ${domain} has a valid name`);
  const own = new Set(ownNames.map((name) => name.toLowerCase()));
  const others = cutAt(usable, ({ exchange }) => own.has(exchange));
  if (others.length === 0) return loopsBack(domain);
  const ordered = shuffle(others, chance).sort((a, b) => a.preference - b.preference);
  return { kind: 'exchangers', exchangers: withoutDoubles(ordered) };
}

/** Drops those for whom `isOwn` holds and all of equal or worse preference: mail never goes away from its end (RFC 5321 §5.1). */
export function cutAt<T extends Exchanger>(exchangers: readonly T[], isOwn: (exchanger: T) => boolean): T[] {
  const own = exchangers.filter(isOwn).map(({ preference }) => preference);
  const limit = own.reduce((least, preference) => Math.min(least, preference), Number.POSITIVE_INFINITY);
  return exchangers.filter(({ preference }) => preference < limit);
}

/** An address in place of a name is out of standard; underscores are, too, but in use. */
function isHostName(exchange: string): boolean {
  return isIP(exchange) === 0 && normalizeDomain(exchange.replaceAll('_', 'x')) !== undefined;
}

function withoutDoubles(exchangers: readonly Exchanger[]): Exchanger[] {
  const seen = new Set<string>();
  return exchangers.filter(({ exchange }) => !seen.has(exchange) && seen.add(exchange));
}
