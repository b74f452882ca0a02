import { isDomain, parseLiteral } from '../address/domain.ts';

/** Whose mail ETRN asks for: a node; a domain with all below it; a queue that has a name of its own (RFC 1985 §5). */
export interface EtrnRequest {
  readonly kind: 'node' | 'subdomains' | 'queue';
  /** A domain of two labels or more or an address literal, or for a queue what the server calls it. */
  readonly name: string;
}

const kinds: Readonly<Record<string, EtrnRequest['kind']>> = { '@': 'subdomains', '#': 'queue' };
const queueName = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/** Reads the argument of ETRN, `[@#]node`; undefined when it is malformed (RFC 1985 §5). */
export function parseEtrn(argument: string): EtrnRequest | undefined {
  const kind = kinds[argument.charAt(0)] ?? 'node';
  const name = kind === 'node' ? argument : argument.slice(1);
  const isGood = kind === 'queue' ? queueName.test(name) : isFullDomain(name) || (kind === 'node' && isLiteral(name));
  return isGood ? { kind, name } : undefined;
}

/** Writes the argument of ETRN (RFC 1985 §5). */
export function formatEtrn({ kind, name }: EtrnRequest): string {
  return `${kind === 'subdomains' ? '@' : kind === 'queue' ? '#' : ''}${name}`;
}

/** Reads the argument of ATRN, domains with a comma and nothing else between them; undefined when it is malformed (RFC 2645 §5.2.1). */
export function parseAtrn(argument: string): readonly string[] | undefined {
  if (argument === '') return [];
  const domains = argument.split(',');
  return domains.every(isFullDomain) ? domains : undefined;
}

/** Writes the argument of ATRN (RFC 2645 §5.2.1). */
export function formatAtrn(domains: readonly string[]): string {
  return domains.join(',');
}

/** Two labels or more. */
function isFullDomain(text: string): boolean {
  return text.includes('.') && isDomain(text);
}

function isLiteral(text: string): boolean {
  return parseLiteral(text) !== undefined;
}
