import type { RecordType, RecordValues } from './lookup.ts';
import { normalizeName } from './name.ts';
import { recordValue } from './record-value.ts';
import type { Answer } from './resolver.ts';
import type { Question, WireRecord, WireReply } from './wire.ts';

/** What a reply says about the question: an answer and the seconds it may be kept, or another name to ask. */
export type Reading<T> =
  | { readonly kind: 'answer'; readonly answer: Answer<T>; readonly ttl: number }
  | { readonly kind: 'alias'; readonly target: string; readonly ttl: number };

/** Aliases that are followed for one look-up. */
export const mostAliases = 8;

/** A denial is kept no longer than this, in seconds (RFC 2308 §5). */
const longestDenial = 3600;

/**
 * Reads a reply that is NOERROR or NXDOMAIN: follows the aliases in it to the records, to the denial, or to the name
 * that has to be asked next (RFC 1034 §3.6.2, RFC 2308 §2).
 */
export function readAnswer<T extends RecordType>(
  reply: WireReply,
  question: Question & { readonly type: T },
  secure: boolean,
): Reading<RecordValues[T]> {
  const { name, ttl, links } = followAliases(reply.answers, question);
  const canonical = links === 0 ? {} : { canonical: name };
  if (links > mostAliases) return failure('the aliases form a loop or a chain too long');
  const records = reply.answers.filter((record) => record.name === name && record.type === question.type);
  if (records.length > 0) return found(question.type, records, { ttl, secure, ...canonical });
  if (reply.code === 'NXDOMAIN') return denial('absent', reply, { ttl, secure });
  const soa = reply.authorities.some(({ type }) => type === 'SOA');
  if (links > 0 && !soa) return { kind: 'alias', target: name, ttl };
  // A server that knows neither the name nor whom to ask sends us on; to take that for a denial would bounce mail.
  if (!soa && !reply.authoritative && reply.authorities.some(({ type }) => type === 'NS')) return failure('a referral');
  return denial('none', reply, { ttl, secure });
}

/** Where the aliases in a reply lead, the least of their times, and how many there are. */
function followAliases(answers: readonly WireRecord[], question: Question) {
  let name = question.name;
  let ttl = Number.POSITIVE_INFINITY;
  let links = 0;
  const isRecord = (record: WireRecord) => record.name === name && record.type === question.type;
  while (links <= mostAliases && !answers.some(isRecord)) {
    const alias = answers.find((record) => record.type === 'CNAME' && record.name === name);
    const target = typeof alias?.data === 'string' ? normalizeName(alias.data) : undefined;
    if (alias === undefined || target === undefined) break;
    name = target;
    ttl = Math.min(ttl, alias.ttl);
    links += 1;
  }
  return { name, ttl, links };
}

interface Basis {
  /** Of the aliases on the way. */
  readonly ttl: number;
  readonly secure: boolean;
  readonly canonical?: string;
}

function found<T extends RecordType>(type: T, records: readonly WireRecord[], basis: Basis): Reading<RecordValues[T]> {
  const values = records.map(({ data }) => recordValue(type, data)).filter((value) => value !== undefined);
  if (values.length === 0) return failure('no record of it is well-formed');
  const ttl = records.reduce((least, record) => Math.min(least, record.ttl), basis.ttl);
  const { secure, canonical } = basis;
  const alias = canonical === undefined ? {} : { canonical };
  return { kind: 'answer', answer: { kind: 'found', records: values, secure, ...alias }, ttl };
}

/** Without the SOA record of its zone a denial is not kept (RFC 2308 §5). */
function denial(kind: 'none' | 'absent', reply: WireReply, { ttl, secure }: Basis): Reading<never> {
  const soa = reply.authorities.find(({ type }) => type === 'SOA');
  const minimum = (soa?.data as { minimum?: number } | undefined)?.minimum ?? 0;
  const kept = Math.min(ttl, soa?.ttl ?? 0, minimum, longestDenial);
  return { kind: 'answer', answer: { kind, secure }, ttl: kept };
}

function failure(text: string): Reading<never> {
  return { kind: 'answer', answer: { kind: 'failed', text }, ttl: 0 };
}
