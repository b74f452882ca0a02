import { isIPv4Text } from '@posthorn/smtp/address/ip-text';
import { type Network, parseNetwork } from '@posthorn/smtp/address/network';
import { type MacroString, parseDomainSpec, parseMacroString } from './spf-macro.ts';

/** One test of a policy (RFC 7208 §5). */
export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: MacroString }
  | {
      readonly kind: 'a' | 'mx';
      readonly domain: MacroString | undefined;
      /** Leading bits that count, of IPv4 and of IPv6. */
      readonly prefix4: number;
      readonly prefix6: number;
    }
  | { readonly kind: 'ptr'; readonly domain: MacroString | undefined }
  | { readonly kind: 'ip'; readonly network: Network };

/** A test, and the result where it fits (RFC 7208 §4.6.2). */
export interface Directive {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral';
  readonly mechanism: Mechanism;
}

/** The policy of a domain (RFC 7208 §4.6.1). */
export interface SpfRecord {
  readonly directives: readonly Directive[];
  readonly redirect?: MacroString;
  readonly explanation?: MacroString;
}

const results = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const;
const modifier = /^([a-z][a-z0-9\-_.]*)=(.*)$/is;
const directive = /^([+\-~?]?)([a-z][a-z0-9\-_.]*)([:/].*)?$/is;
const lengths = /^(.*?)(?:\/(0|[1-9]\d?))?(?:\/\/(0|[1-9]\d{0,2}))?$/s;
/** Characters of a record; longer ones are no policy that anybody wrote by hand. */
const longest = 16_384;

/** Whether a TXT record is a policy of this version (RFC 7208 §4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** Reads a policy; undefined when any part of it is faulty (RFC 7208 §4.6). */
export function parseSpfRecord(text: string): SpfRecord | undefined {
  if (!isSpfRecord(text) || text.length > longest) return undefined;
  const directives: Directive[] = [];
  const modifiers: { redirect?: MacroString; explanation?: MacroString } = {};
  for (const term of text.slice(6).split(' ')) {
    if (term === '') continue;
    const [, name, value] = modifier.exec(term) ?? [];
    if (name !== undefined && value !== undefined) {
      if (!takeModifier(modifiers, name.toLowerCase(), value)) return undefined;
      continue;
    }
    const read = parseDirective(term);
    if (read === undefined) return undefined;
    directives.push(read);
  }
  return { directives, ...modifiers };
}

/** Those of an unknown name are passed over, once they are well formed; known ones stand once (RFC 7208 §6). */
function takeModifier(
  modifiers: { redirect?: MacroString; explanation?: MacroString },
  name: string,
  value: string,
): boolean {
  const key = name === 'redirect' ? 'redirect' : name === 'exp' ? 'explanation' : undefined;
  if (key === undefined) return parseMacroString(value, 'term') !== undefined;
  const domain = parseDomainSpec(value);
  if (domain === undefined || modifiers[key] !== undefined) return false;
  modifiers[key] = domain;
  return true;
}

function parseDirective(term: string): Directive | undefined {
  const [, sign, name, rest = ''] = directive.exec(term) ?? [];
  if (name === undefined) return undefined;
  const mechanism = parseMechanism(name.toLowerCase(), rest);
  return mechanism && { result: results[(sign || '+') as keyof typeof results], mechanism };
}

function parseMechanism(name: string, rest: string): Mechanism | undefined {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : undefined;
    case 'include':
    case 'exists': {
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined;
      return domain && { kind: name, domain };
    }
    case 'ptr': {
      const domain = optionalDomain(rest);
      return domain && { kind: 'ptr', domain: domain.domain };
    }
    case 'a':
    case 'mx':
      return parseHosts(name, rest);
    case 'ip4':
    case 'ip6':
      return rest.startsWith(':') ? parseAddresses(name, rest.slice(1)) : undefined;
    default:
      return undefined;
  }
}

function parseHosts(kind: 'a' | 'mx', rest: string): Mechanism | undefined {
  const [, text = '', four = '32', six = '128'] = lengths.exec(rest) ?? [];
  const domain = optionalDomain(text);
  if (domain === undefined || Number(four) > 32 || Number(six) > 128) return undefined;
  return { kind, domain: domain.domain, prefix4: Number(four), prefix6: Number(six) };
}

function optionalDomain(text: string): { readonly domain: MacroString | undefined } | undefined {
  if (text === '') return { domain: undefined };
  const domain = text.startsWith(':') ? parseDomainSpec(text.slice(1)) : undefined;
  return domain && { domain };
}

function parseAddresses(name: 'ip4' | 'ip6', text: string): Mechanism | undefined {
  const network = /\/(?:0\d|$)/.test(text) ? undefined : parseNetwork(text);
  if (network === undefined || network.family !== (name === 'ip4' ? 4 : 6)) return undefined;
  return network.family === 6 || isIPv4Text(network.address) ? { kind: 'ip', network } : undefined;
}
