import type { Answer, Question } from 'dns-packet';
import { type FixtureHost, type FixtureZone, fixtureName } from '../../src/dns/fixture-resolver.ts';

/** What the server's answers hold but the records themselves. */
export interface ZoneSettings {
  /** In seconds, 300 by default. */
  readonly ttl?: number;
  /** Least time of denials in seconds, 60 by default; null: denials come without SOA. */
  readonly minimum?: number | null;
  /** Whether a chain of aliases comes in one answer. */
  readonly chains?: boolean;
  /** Whether answers bear the AD bit. */
  readonly authentic?: boolean;
}

export interface ZoneAnswer {
  readonly code: number;
  readonly answers: Answer[];
  readonly authorities: Answer[];
}

const noError = 0;
const serverFailure = 2;
const nameError = 3;

/** Answers as a recursive server would that knows of nothing but the zone. */
export function answerFromZone(zone: FixtureZone, { type, name: asked }: Question, settings: ZoneSettings): ZoneAnswer {
  const { ttl = 300, minimum = 60, chains = true } = settings;
  const answers: Answer[] = [];
  const hosts = new Map(Object.entries(zone).map(([key, host]) => [fixtureName(key), host]));
  let name = asked.toLowerCase();
  for (let links = 0; links < 12; links += 1) {
    const host = hosts.get(name);
    if (host?.fails?.some((failing) => failing === type)) return { code: serverFailure, answers: [], authorities: [] };
    const records = host === undefined ? [] : recordsOf(host, { type, name }, ttl);
    answers.push(...records);
    if (records.length > 0) return { code: noError, answers, authorities: [] };
    if (host?.cname === undefined) break;
    answers.push({ type: 'CNAME', name, ttl, data: host.cname });
    name = fixtureName(host.cname);
    if (!chains) return { code: noError, answers, authorities: [] };
  }
  const exists = [...hosts.keys()].some((key) => key === name || key.endsWith(`.${name}`));
  const soa: Answer = {
    type: 'SOA',
    name: '.',
    ttl: 3600,
    data: { mname: 'ns.example', rname: 'hostmaster.example', serial: 1, minimum: minimum ?? 0 },
  };
  return { code: exists ? noError : nameError, answers, authorities: minimum === null ? [] : [soa] };
}

function recordsOf(host: FixtureHost, { type, name }: Question, ttl: number): Answer[] {
  if (type === 'MX') {
    return (host.mx ?? []).map(([preference, exchange]) => ({ type, name, ttl, data: { preference, exchange } }));
  }
  if (type === 'TXT') return (host.txt ?? []).map((text) => ({ type, name, ttl, data: cutText(text) }));
  if (type === 'TLSA') {
    return (host.tlsa ?? []).map(({ data, ...form }) => ({ type, name, ttl, data: { ...form, certificate: data } }));
  }
  if (type !== 'A' && type !== 'AAAA' && type !== 'PTR') return [];
  return ({ A: host.a, AAAA: host.aaaa, PTR: host.ptr }[type] ?? []).map((data) => ({ type, name, ttl, data }));
}

/** A text in strings of at most 255 octets. */
export function cutText(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += 255) pieces.push(bytes.subarray(at, at + 255));
  return pieces;
}
