import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import { type Identify, identifyByName } from '@posthorn/smtp/net/identify';
import { identifyByTlsa } from '@posthorn/smtp/net/identify-by-tlsa';
import { formatTlsa } from '@posthorn/smtp/net/tlsa';
import type { Resolver } from '../dns/resolver.ts';
import { type DaneFinding, decideTls, type TlsDecision } from '../routing/decide-tls.ts';
import type { DomainTls } from '../routing/outbound-tls.ts';
import { namesHost } from '../routing/sts-policy.ts';
import type { HostsOfDomain, MailHost } from './find-hosts.ts';
import { type FoundTlsa, findTlsa } from './find-tlsa.ts';
import type { FoundPolicy, StsPolicies } from './sts-policies.ts';

/** How a host is spoken to, ready for a connection. */
export interface TlsPlan extends TlsDecision {
  readonly connect: Pick<ConnectOptions, 'tls' | 'verify' | 'identify' | 'serverName'>;
  /** Equal for plans whose connections may be shared. */
  readonly key: string;
  /** Whether the name of the host is proven, by the DNS or by a policy (RFC 8689 §4.2.1). */
  readonly proven: boolean;
  /** What the plan is made from, for people and reports. */
  readonly found: {
    readonly tlsa: FoundTlsa | undefined;
    readonly sts: FoundPolicy | undefined;
    /** Whether the policy names the host. */
    readonly named: boolean;
  };
}

/** What plans are made with. */
export interface TlsPlannerParts {
  readonly resolver: Resolver;
  /** How mail to a domain is sent. */
  readonly tlsFor: (domain: string) => DomainTls;
  /** Whether answers of the resolver that are proven say so, so that DANE has something to stand on. */
  readonly dane: boolean;
  /** Absent: nobody asks for the policies of domains. */
  readonly sts?: Pick<StsPolicies, 'find'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The hosts that are to be spoken to. */
export interface PlanQuery {
  /** The domain whose mail they get, or the host that a route names: a name, an address or a literal. */
  readonly domain: string;
  readonly found: HostsOfDomain;
  readonly port: number;
  /** How mail is sent there, where a route says it; by default as is said for the domain. */
  readonly tls?: DomainTls;
  /** Whether the message goes even where the domain asks for better TLS than there is (RFC 8689 §4.1). */
  readonly tlsOptional: boolean;
  readonly signal: AbortSignal;
}

/** Makes a plan for every host of a domain (RFC 3207 §6, RFC 7672 §2.1, RFC 8461 §5). */
export class TlsPlanner {
  readonly #parts: TlsPlannerParts;

  constructor(parts: TlsPlannerParts) {
    this.#parts = parts;
  }

  /** The plans, in the order of the hosts. Rejects with Failure `aborted` alone. */
  async plan(query: PlanQuery): Promise<readonly TlsPlan[]> {
    const { found, domain, signal, tlsOptional } = query;
    const configured = query.tls ?? this.#parts.tlsFor(domain);
    const isName = isIP(domain) === 0 && !domain.startsWith('[');
    const raised = configured.raised && !tlsOptional && isName;
    const tls: DomainTls = { ...configured, raised };
    const asksSts = isName && (raised || tls.level === 'mta-sts');
    const sts = asksSts ? await this.#parts.sts?.find(domain, signal) : undefined;
    return Promise.all(found.hosts.map((host) => this.#planHost(host, { query, tls, sts })));
  }

  async #planHost(host: MailHost, { query, tls, sts }: Known): Promise<TlsPlan> {
    const { resolver, dane, now } = this.#parts;
    const { port, signal, found, domain } = query;
    const asksDane = dane && (tls.raised || tls.level === 'dane');
    const tlsa = asksDane ? await findTlsa({ host, port, signal }, resolver) : undefined;
    const policy = stsOf(sts, host);
    const decision = decideTls(tls, { dane: daneOf(tlsa), sts: policy });
    const proven =
      host.unproven !== true || decision.tls === 'sts' || (decision.tls === 'verified' && tls.names !== undefined);
    const about = { ...decision, proven, found: { tlsa, sts, named: policy?.matches === true } };
    const serverName = withoutBrackets(host.name);
    switch (decision.tls) {
      case 'clear':
      case 'barred':
        return { ...about, connect: { tls: 'none', serverName }, key: 'none' };
      case 'opportunistic':
        return { ...about, connect: { tls: 'opportunistic', serverName }, key: 'opportunistic' };
      case 'encrypted':
        return { ...about, connect: { tls: 'starttls', verify: false, serverName }, key: 'encrypted' };
      case 'sts':
        return { ...about, ...byName([host.name], serverName) };
      case 'verified':
        return { ...about, ...byName(tls.names ?? namesFor(domain, host), serverName) };
      case 'dane': {
        const { records = [], base = host.name } = tlsa ?? {};
        const names = [base, domain, ...(found.canonical === undefined ? [] : [found.canonical])];
        const digest = createHash('sha256').update(records.map(formatTlsa).sort().join('\n')).digest('hex');
        const identify = identifyByTlsa({ records, names, now });
        return { ...about, ...identified(identify, base), key: `dane ${names.join(' ')} ${digest}` };
      }
    }
  }
}

interface Known {
  readonly query: PlanQuery;
  readonly tls: DomainTls;
  readonly sts: FoundPolicy | undefined;
}

function daneOf(tlsa: FoundTlsa | undefined): DaneFinding {
  return tlsa?.dane ?? 'off';
}

function stsOf(found: FoundPolicy | undefined, { name }: MailHost) {
  return found?.policy === undefined ? undefined : { mode: found.policy.mode, matches: namesHost(found.policy, name) };
}

/** Of a host that unsigned records name, no name counts but that of the domain: who forges those has a certificate for any other. */
function namesFor(domain: string, { name, unproven }: MailHost): readonly string[] {
  return unproven === true ? [domain, `.${domain}`] : [withoutBrackets(name)];
}

function byName(names: readonly string[], serverName: string) {
  return { ...identified(identifyByName(names), serverName), key: `verified ${names.join(' ')}` };
}

function identified(identify: Identify, serverName: string): Pick<TlsPlan, 'connect'> {
  return { connect: { tls: 'starttls', identify, serverName } };
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(?:IPv6:)?|\]$/gi, '');
}
