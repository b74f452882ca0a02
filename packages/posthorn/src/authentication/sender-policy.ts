import { asciiDomain } from '@posthorn/smtp/address/domain';
import type { HeaderField } from '@posthorn/smtp/message/header';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { MethodResult } from './authentication-results.ts';
import type { SpfAnswer } from './check-spf.ts';
import { authorDomains, type DmarcResult } from './evaluate-dmarc.ts';
import type { ArcResult } from './verify-arc.ts';
import type { DkimResult } from './verify-dkim.ts';

/** One identity that was asked about, and the answer of its domain. */
export interface SpfFinding extends SpfAnswer {
  readonly identity: 'mailfrom' | 'helo';
  readonly domain: string;
  /** The address of MAIL FROM, or the name in HELO. */
  readonly value: string;
}

/** All that was found about a message; what was not looked at is absent. */
export interface Findings {
  readonly spf: readonly SpfFinding[];
  readonly dkim?: readonly DkimResult[];
  readonly arc?: ArcResult;
  readonly dmarc?: DmarcResult;
}

/** What is done with it. */
export interface SenderRules {
  readonly spf: 'off' | 'record' | 'reject' | 'strict';
  readonly dkim: 'nothing' | 'signature' | 'author';
  readonly dmarc: 'off' | 'record' | 'mark' | 'reject';
  readonly arc: 'off' | 'record' | 'reject';
  /** Domains whose seal outweighs the policy of an author's domain. */
  readonly trusted: readonly string[];
}

/** What becomes of a message by the policy of its author's domain (RFC 9989 §5.4). */
export interface Disposition {
  readonly kind: 'none' | 'quarantine' | 'reject';
  /** Why it is milder than the domain asks (RFC 9990 §3.1.1.7). */
  readonly override?: 'trusted_forwarder' | 'mailing_list' | 'local_policy';
}

/** The refusal that SPF alone earns, before any text comes (RFC 7208 §8, RFC 7372 §3.2). */
export function spfRefusal(findings: readonly SpfFinding[], rules: Pick<SenderRules, 'spf'>): Reply | undefined {
  if (rules.spf !== 'reject' && rules.spf !== 'strict') return undefined;
  const failed = findings.find(({ result }) => result === 'fail');
  if (failed !== undefined) {
    const { domain, explanation } = failed;
    const said = explanation === undefined ? [] : [`${domain} explains: ${printable(explanation)}`];
    return reply(550, '5.7.23', `SPF: ${printable(domain)} does not let this host send for it`, ...said);
  }
  if (findings.some(({ result }) => result === 'temperror')) {
    return reply(451, '4.4.3', 'SPF: the policy of the sender cannot be looked up now');
  }
  const isFaulty = rules.spf === 'strict' && findings.some(({ result }) => result === 'permerror');
  return isFaulty ? reply(550, '5.7.24', 'SPF: the policy of the sender cannot be read') : undefined;
}

/** The refusal that a whole message earns by what was found (RFC 7372 §3.1, RFC 8617 §7.3, RFC 9989 §7.4). */
export function messageRefusal(
  findings: Findings,
  rules: SenderRules,
  { fields, disposition }: { readonly fields: readonly HeaderField[]; readonly disposition: Disposition },
): Reply | undefined {
  if (rules.arc === 'reject' && findings.arc?.result === 'fail') {
    return reply(550, '5.7.29', 'ARC: the chain of this message is broken');
  }
  if (disposition.kind === 'reject') {
    const domain = findings.dmarc?.domain ?? '';
    return reply(550, '5.7.1', `DMARC: ${printable(domain)} wants mail refused that it does not vouch for`);
  }
  return dkimRefusal(findings, rules, fields);
}

function dkimRefusal(
  { dkim = [], spf }: Findings,
  rules: SenderRules,
  fields: readonly HeaderField[],
): Reply | undefined {
  if (rules.dkim === 'nothing') return undefined;
  const passing = dkim.filter(({ result }) => result === 'pass');
  const authors = rules.dkim === 'author' ? (authorDomains(fields) ?? ['']) : [];
  const isGood =
    passing.length > 0 &&
    authors.every((author) => passing.some(({ domain = '-' }) => `.${author}`.endsWith(`.${domain}`)));
  if (isGood) return undefined;
  if (dkim.some(({ result }) => result === 'temperror')) {
    return reply(451, '4.4.3', 'DKIM: the key of a signature cannot be looked up now');
  }
  if (spf.some(({ result }) => result === 'fail')) {
    return reply(550, '5.7.26', 'Neither SPF nor DKIM speaks for this message');
  }
  if (passing.length > 0) return reply(550, '5.7.22', "DKIM: no valid signature is of the author's domain");
  return dkim.some(({ result }) => result === 'policy')
    ? reply(550, '5.7.21', 'DKIM: no signature is acceptable')
    : reply(550, '5.7.20', 'DKIM: no signature passes');
}

/**
 * What becomes of a message that its author's domain does not vouch for. That a domain wants it refused is not enough:
 * what a list or a forwarder seems to have had is set apart instead (RFC 9989 §7.4).
 */
export function dispositionOf(
  { dmarc, arc }: Findings,
  rules: SenderRules,
  fields: readonly HeaderField[],
): Disposition {
  if (dmarc?.result !== 'fail' || dmarc.wanted === 'none') return { kind: 'none' };
  if (arc?.result === 'pass' && rules.trusted.includes(arc.domain ?? '')) {
    return { kind: 'none', override: 'trusted_forwarder' };
  }
  if (rules.dmarc !== 'mark' && rules.dmarc !== 'reject') return { kind: 'none', override: 'local_policy' };
  if (dmarc.wanted === 'quarantine') return { kind: 'quarantine' };
  if (arc?.result === 'pass' || fields.some(isOfList)) return { kind: 'quarantine', override: 'mailing_list' };
  return rules.dmarc === 'reject' ? { kind: 'reject' } : { kind: 'quarantine', override: 'local_policy' };
}

function isOfList({ name, value }: HeaderField): boolean {
  return name === 'list-id' || name === 'list-post' || (name === 'precedence' && /^list$/i.test(value));
}

/** What was found, method by method (RFC 8601 §2.7). */
export function methodResults({ spf, dkim, arc, dmarc }: Findings): MethodResult[] {
  const results: MethodResult[] = spf.map(({ identity, result, value, reason }) => ({
    method: 'spf',
    result,
    reason,
    properties: [[`smtp.${identity}`, value]],
  }));
  for (const { result, reason, domain, selector, algorithm, begin } of dkim ?? []) {
    const facts = [
      ['header.d', domain],
      ['header.s', selector],
      ['header.a', algorithm],
      ['header.b', begin],
    ] as const;
    const properties = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    results.push({ method: 'dkim', result, reason, properties });
  }
  if (dkim?.length === 0) results.push({ method: 'dkim', result: 'none', properties: [] });
  if (dmarc !== undefined) {
    const { result, reason, domain } = dmarc;
    results.push({
      method: 'dmarc',
      result,
      reason,
      properties: domain === undefined ? [] : [['header.from', domain]],
    });
  }
  if (arc !== undefined) {
    const { result, reason, domain } = arc;
    const properties = domain === undefined ? [] : [['header.d', domain] as const];
    results.push({ method: 'arc', result, reason, properties });
  }
  return results;
}

/** The finding that speaks for the reverse-path when the author's domain is asked (RFC 9989 §4.4.2). */
export function alignedSpf(findings: readonly SpfFinding[]): SpfFinding | undefined {
  const finding = findings.find(({ identity }) => identity === 'mailfrom') ?? findings[0];
  return finding && { ...finding, domain: asciiDomain(finding.domain) ?? finding.domain };
}

/** A stranger's text in a reply. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 300);
}
