import type { Mailbox } from './mailbox.ts';
import { normalizeDomain } from './normalize-domain.ts';

/** How local-parts are compared: only the host that delivers to them may ignore their case (RFC 5321 §2.4). */
export interface ComparisonRules {
  readonly caseSensitive?: boolean;
}

function comparable(localPart: string, caseSensitive: boolean): string {
  const composed = localPart.normalize('NFC');
  return caseSensitive ? composed : composed.toLowerCase();
}

/**
 * Whether two mailboxes are one: local-parts as they are meant, composed (NFC), their case counting unless said
 * otherwise; domains without case, U-labels like their A-labels (RFC 5321 §2.4, RFC 5321 §4.1.2, RFC 6532 §3.1).
 */
export function sameMailbox(one: Mailbox, other: Mailbox, rules: ComparisonRules = {}): boolean {
  const caseSensitive = rules.caseSensitive ?? true;
  return (
    comparable(one.localPart, caseSensitive) === comparable(other.localPart, caseSensitive) &&
    comparableDomain(one.domain) === comparableDomain(other.domain)
  );
}

function comparableDomain(domain: string): string {
  return normalizeDomain(domain) ?? domain.toLowerCase();
}
