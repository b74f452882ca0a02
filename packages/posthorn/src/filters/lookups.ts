import type { Answer, Resolver } from '../dns/resolver.ts';

/** What filters look up; where nothing comes in time, it counts as a failure of the name system. */
export type Lookups = Pick<Resolver, 'mx' | 'addresses' | 'txt' | 'reverse'>;

const lookUpTime = 5_000;

/** A resolver that gives every look-up five seconds: a filter that learns nothing lets mail pass. */
export function boundedLookups(resolver: Lookups): Lookups {
  const bound = <T>(ask: (signal: AbortSignal) => Promise<Answer<T>>): Promise<Answer<T>> =>
    ask(AbortSignal.timeout(lookUpTime)).catch(() => ({ kind: 'failed', text: 'no answer in time' }));
  return {
    mx: (domain) => bound((signal) => resolver.mx(domain, signal)),
    addresses: (host, family) => bound((signal) => resolver.addresses(host, family, signal)),
    txt: (name) => bound((signal) => resolver.txt(name, signal)),
    reverse: (address) => bound((signal) => resolver.reverse(address, signal)),
  };
}
