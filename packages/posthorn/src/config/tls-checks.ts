import { isOnThisMachine, parseNameServer } from '../dns/name-server.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, entriesOf, isRecord, type Plain } from './plain.ts';

type Fields = { readonly [key: string]: Plain };

/** What is wrong with how other hosts are believed. */
export function outboundTlsMistakes(config: Fields): Mistake[] {
  const dns = isRecord(config.dns) ? config.dns : {};
  const tls = isRecord(config.outboundTls) ? config.outboundTls : {};
  return [...serverMistakes(dns), ...levelMistakes(tls, dns), ...nameMistakes(tls)];
}

/** Whoever is on the way to a name server can set the bit that says that an answer is proven (RFC 7672 §2.1). */
function serverMistakes({ servers, validating, trustAd }: Fields): Mistake[] {
  if (validating !== true || trustAd === true) return [];
  return elementsOf(servers).flatMap((text, index) => {
    const server = typeof text === 'string' ? parseNameServer(text) : undefined;
    if (server === undefined || isOnThisMachine(server)) return [];
    const message = 'is not on this machine: what it says could be forged on the way';
    const remedy = 'Run a validating resolver here, or set dns.trustAd to true where the way is safe.';
    return { path: formatPath(['dns', 'servers', index]), message, remedy };
  });
}

/** A level that stands on something which is switched off holds all mail up. */
function levelMistakes(tls: Fields, dns: Fields): Mistake[] {
  return levelsOf(tls).flatMap(({ path, level }) => {
    if (level === 'dane' && dns.validating !== true) {
      const remedy = 'Ask a validating resolver on this machine, and set dns.validating to true.';
      return { path, message: 'needs proven answers of the DNS', remedy };
    }
    if (level !== 'mta-sts' || tls.mtaSts !== false) return [];
    return { path, message: 'needs the policies of domains', remedy: 'Do not set outboundTls.mtaSts to false.' };
  });
}

function nameMistakes(tls: Fields): Mistake[] {
  return entriesOf(tls.domains).flatMap(([domain, entry]) => {
    if (!isRecord(entry) || entry.names === undefined || entry.level === 'verify') return [];
    const path = formatPath(['outboundTls', 'domains', domain, 'names']);
    return {
      path,
      message: 'has no effect without the level verify',
      remedy: 'Take it away, or set level to "verify".',
    };
  });
}

function levelsOf(tls: Fields): { readonly path: string; readonly level: Plain }[] {
  const ofDomains = entriesOf(tls.domains).flatMap(([domain, entry]) =>
    isRecord(entry) && entry.level !== undefined
      ? [{ path: formatPath(['outboundTls', 'domains', domain, 'level']), level: entry.level }]
      : [],
  );
  const byDefault = tls.default === undefined ? [] : [{ path: 'outboundTls.default', level: tls.default }];
  return [...byDefault, ...ofDomains];
}
