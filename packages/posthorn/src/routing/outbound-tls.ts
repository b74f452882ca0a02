import { parseDomainPattern } from './domain-pattern.ts';

/** The levels of TLS that mail to a domain can be sent with, see `OutboundTls` (RFC 3207 §6, RFC 7672 §2, RFC 8461 §5). */
export const tlsLevels = ['none', 'may', 'encrypt', 'verify', 'dane', 'mta-sts'] as const;

/**
 * `none`: clear text; `may`: TLS where the host offers it; `encrypt`: TLS, with whomever; `verify`: TLS with a certificate
 * that is trusted and for the host; `dane`, `mta-sts`: as the domain publishes it, and nothing without it.
 */
export type TlsLevel = (typeof tlsLevels)[number];

/** How mail to one domain is sent. */
export interface DomainTls {
  readonly level: TlsLevel;
  /** Whether what the domain publishes may ask for more than `may` and `encrypt` do. */
  readonly raised: boolean;
  /** The names that count for `verify`; without them those that nobody can forge. */
  readonly names?: readonly string[];
}

/** What a configuration says about TLS to other hosts. */
export interface OutboundTls {
  readonly default: TlsLevel;
  /** What is said of a domain holds exactly; the first pattern that fits decides. */
  readonly domains: Readonly<
    Record<string, { readonly level: TlsLevel; readonly names?: readonly string[] | undefined }>
  >;
}

/** Makes the function that says how mail to a domain is sent. */
export function createDomainTls({ default: level, domains }: OutboundTls): (domain: string) => DomainTls {
  const known = Object.entries(domains).flatMap(([pattern, { level, names }]) => {
    const fits = parseDomainPattern(pattern);
    const tls: DomainTls = { level, raised: false, ...(names === undefined ? {} : { names }) };
    return fits === undefined ? [] : [{ fits, tls }];
  });
  const others: DomainTls = { level, raised: level === 'may' || level === 'encrypt' };
  return (domain) => known.find(({ fits }) => fits(domain))?.tls ?? others;
}
