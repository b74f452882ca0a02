import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';

/** Whether a normalized domain is meant. */
export type DomainPattern = (domain: string) => boolean;

/** Reads `example.org` (that domain), `*.example.org` (all below it) or `*` (all); undefined when it is none of them. */
export function parseDomainPattern(text: string): DomainPattern | undefined {
  if (text === '*') return () => true;
  const below = text.startsWith('*.');
  const domain = normalizeDomain(below ? text.slice(2) : text);
  if (domain === undefined) return undefined;
  const suffix = `.${domain}`;
  return below ? (name) => name.endsWith(suffix) : (name) => name === domain;
}
