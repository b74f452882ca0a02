import type { DomainTls } from './outbound-tls.ts';

/**
 * What the TLSA records of a host come to: `usable`: its certificate has to be one of theirs; `unusable`: they are there,
 * and none can be used; `absent`: proven not to be there, or nothing is proven at all; `failed`: they cannot be looked up,
 * which may be an attack; `off`: nobody asks for them (RFC 7672 §2.1).
 */
export type DaneFinding = 'usable' | 'unusable' | 'absent' | 'failed' | 'off';

/** What the policy of a domain says of a host; undefined: there is no policy (RFC 8461 §3.2, RFC 8461 §4.1). */
type StsFinding = { readonly mode: 'enforce' | 'testing' | 'none'; readonly matches: boolean } | undefined;

/** What is known about a host of a domain. */
export interface TlsFindings {
  readonly dane: DaneFinding;
  readonly sts: StsFinding;
}

/** How a host is spoken to; `barred`: not at all. */
type HostTls = 'clear' | 'opportunistic' | 'encrypted' | 'verified' | 'sts' | 'dane' | 'barred';

/** How a host is spoken to, and why, as half a sentence. */
export interface TlsDecision {
  readonly tls: HostTls;
  readonly because: string;
}

/** Decides how a host is spoken to. */
export function decideTls(domain: DomainTls, { dane, sts }: TlsFindings): TlsDecision {
  switch (domain.level) {
    case 'none':
      return { tls: 'clear', because: 'the configuration wants no TLS' };
    case 'verify':
      return { tls: 'verified', because: 'the configuration wants a certificate that is trusted and for the host' };
    case 'dane':
      return onlyDane(dane);
    case 'mta-sts':
      return onlySts(sts);
    default:
      return (domain.raised ? raise({ dane, sts }) : undefined) ?? unraised(domain.level);
  }
}

function unraised(level: 'may' | 'encrypt'): TlsDecision {
  return level === 'may'
    ? { tls: 'opportunistic', because: 'nothing asks for more than TLS where the host offers it' }
    : { tls: 'encrypted', because: 'the configuration wants TLS' };
}

/** What the domain publishes, where it asks for more; a policy never makes up for a failed DANE (RFC 7672 §2.2, RFC 8461 §2). */
function raise({ dane, sts }: TlsFindings): TlsDecision | undefined {
  if (dane === 'failed') return unproven;
  if (dane === 'usable') return byDane;
  if (sts?.mode === 'enforce') return bySts(sts.matches);
  if (dane === 'unusable') return { tls: 'encrypted', because: 'the host has TLSA records, but none that can be used' };
  return undefined;
}

const byDane: TlsDecision = { tls: 'dane', because: 'the host has TLSA records' };
const unproven: TlsDecision = { tls: 'barred', because: 'it cannot be found out whether the host has TLSA records' };

function bySts(matches: boolean): TlsDecision {
  return matches
    ? { tls: 'sts', because: 'the MTA-STS policy of the domain names the host' }
    : { tls: 'barred', because: 'the MTA-STS policy of the domain does not name the host' };
}

function onlyDane(dane: DaneFinding): TlsDecision {
  if (dane === 'usable') return byDane;
  if (dane === 'failed') return unproven;
  return { tls: 'barred', because: 'the configuration wants DANE, and the host has no TLSA record that can be used' };
}

function onlySts(sts: StsFinding): TlsDecision {
  if (sts !== undefined && sts.mode !== 'none') return bySts(sts.matches);
  return { tls: 'barred', because: 'the configuration wants MTA-STS, and the domain has no policy' };
}
