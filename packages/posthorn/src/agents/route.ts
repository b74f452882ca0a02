import { isIP } from 'node:net';
import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import type { TlsMaterial } from '@posthorn/smtp/net/secure';
import type { ClientTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import type { Envelope } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { NoHost } from '../routing/exchangers.ts';
import type { DomainTls } from '../routing/outbound-tls.ts';
import type { Stop } from './deliver-to-hosts.ts';
import type { Destination } from './destinations.ts';
import { findHosts, type HostFinder, type MailHost } from './find-hosts.ts';
import { type TlsPlan, TlsPlanner, type TlsPlannerParts } from './tls-planner.ts';
import { type ObservedHost, observeSessions, type SessionObserver, type TlsReporting } from './tls-sessions.ts';

/** What finding the way to a next hop works with. */
export interface RouteOptions extends HostFinder, Partial<Pick<TlsPlannerParts, 'tlsFor' | 'dane' | 'sts'>> {
  /** What it calls itself in EHLO: a domain or an address literal (RFC 5321 §4.1.4). */
  readonly name: string;
  /** Certificates to trust and to show. */
  readonly tlsMaterial?: TlsMaterial;
  readonly timeouts?: Partial<ClientTimeouts>;
  /** The port of mail exchangers, 25 by default. */
  readonly port?: number;
  /** Addresses that are tried for one message, 8 by default (RFC 5321 §5.1). */
  readonly mostAddressesTried?: number;
  /** Keeps count of sessions for the domains that want to know; absent: nobody does. */
  readonly tlsReporting?: TlsReporting;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a message asks of the way there. */
export type Wishes = Pick<Envelope, 'tlsOptional' | 'requireTls'>;

/** The hosts of a next hop, with a plan for each. */
export interface PlannedHosts {
  readonly kind: 'hosts';
  readonly hosts: readonly MailHost[];
  readonly plans: readonly TlsPlan[];
  readonly port: number;
}

/** A next hop that is another host. */
export type RelayHop = Extract<NextHop, { kind: 'mx' | 'smtp' | 'lmtp' }>;

const mtaPort = 25;
const lmtpPort = 24;

const may: DomainTls = { level: 'may', raised: true };

/** Knows the addresses that mail for a next hop is tried at, in their order (RFC 5321 §5.1). */
export class Route {
  readonly #options: RouteOptions;
  readonly #planner: TlsPlanner;
  /** Of next hops that no look-up can change; the router gives the same object for all mail that goes there. */
  readonly #fixed = new WeakMap<RelayHop, readonly Stop[]>();

  constructor(options: RouteOptions) {
    this.#options = options;
    this.#planner = new TlsPlanner({ tlsFor: () => may, dane: false, ...options });
  }

  /** The stops, at least one; or what becomes of the mail without any. */
  async find(hop: RelayHop, wishes: Wishes, signal: AbortSignal): Promise<readonly Stop[] | NoHost> {
    const known = this.#fixed.get(hop);
    if (known !== undefined) return known;
    const stops = await this.#findStops(hop, wishes, signal);
    if ('outcomeKind' in stops || !isFixed(hop)) return stops;
    this.#fixed.set(hop, stops);
    return stops;
  }

  async #findStops(hop: RelayHop, wishes: Wishes, signal: AbortSignal): Promise<Stop[] | NoHost> {
    const options = this.#options;
    if (hop.kind !== 'mx' && hop.path !== undefined) {
      // A socket of this machine has no wire that anybody could listen to.
      const tls: ChosenTls = { connect: { tls: 'none' }, key: 'none' };
      return [{ remoteHost: options.name, destination: toDestination(hop, options, { to: { path: hop.path }, tls }) }];
    }
    const planned = await this.plan(hop, wishes, signal);
    if (planned.kind === 'outcome') return planned;
    const { hosts, plans, port } = planned;
    const observe = await this.#observing(hop, wishes, signal);
    return hosts
      .flatMap((host, index) => stopsAt(host, { hop, options, port, plan: plans[index] as TlsPlan, observe }))
      .slice(0, options.mostAddressesTried ?? 8);
  }

  /** What observes sessions for a domain that wants reports; mail that goes whatever TLS is like tells nothing (RFC 8460 §3). */
  async #observing(hop: RelayHop, { tlsOptional }: Wishes, signal: AbortSignal): Promise<Observing | undefined> {
    const { tlsReporting: reporting } = this.#options;
    if (reporting === undefined || hop.kind !== 'mx' || tlsOptional === true || hop.domain.startsWith('['))
      return undefined;
    if (!(await reporting.wants(hop.domain, signal).catch(() => false))) return undefined;
    return (about) => observeSessions({ ...about, domain: hop.domain }, reporting);
  }

  /** The hosts of a next hop that is no socket, and how each is spoken to; or what becomes of the mail without any. */
  async plan(hop: RelayHop, wishes: Wishes, signal: AbortSignal): Promise<PlannedHosts | NoHost> {
    const options = this.#options;
    const domain = domainOf(hop);
    const lookupMx = hop.kind === 'mx' || hop.lookupMx;
    const found = await findHosts({ domain, lookupMx, configured: hop.kind !== 'mx', signal }, options);
    if (found.kind === 'outcome') return found;
    const port = portOf(hop, options);
    const tls = routeTls(hop);
    const tlsOptional = wishes.tlsOptional === true && wishes.requireTls !== true;
    const query = { domain, found, port, tlsOptional, signal, ...(tls === undefined ? {} : { tls }) };
    return { kind: 'hosts', hosts: found.hosts, plans: await this.#planner.plan(query), port };
  }
}

/** The domain whose policy counts: that of a route is the host it names (RFC 8461 §4). */
function domainOf(hop: RelayHop): string {
  return hop.kind === 'mx' ? hop.domain : (hop.host ?? 'localhost');
}

function isFixed(hop: RelayHop): boolean {
  return hop.kind !== 'mx' && (hop.path !== undefined || isIP(hop.host ?? '') !== 0);
}

/** What a route says itself about TLS; a host that it names by name may ask for more than `opportunistic`. */
function routeTls(hop: RelayHop): DomainTls | undefined {
  if (hop.kind === 'mx') return undefined;
  switch (hop.tls) {
    case 'opportunistic':
      return hop.kind === 'lmtp' || isIP(hop.host ?? '') !== 0 ? { level: 'may', raised: false } : undefined;
    case 'none':
    case 'encrypt':
    case 'dane':
    case 'mta-sts':
      return { level: hop.tls, raised: false };
    default:
      return { level: 'verify', raised: false };
  }
}

type Observing = (about: Omit<ObservedHost, 'domain'>) => SessionObserver;

interface Planned {
  readonly observe: Observing | undefined;
  readonly hop: RelayHop;
  readonly options: RouteOptions;
  readonly port: number;
  readonly plan: TlsPlan;
}

/** One stop for every address; a host that is not to be spoken to is one, which says why. */
function stopsAt(host: MailHost, { hop, options, port, plan, observe }: Planned): Stop[] {
  const addresses = plan.tls === 'barred' ? host.addresses.slice(0, 1) : host.addresses;
  return addresses.map(({ address }): Stop => {
    const to = { host: address, port };
    const destination = toDestination(hop, options, { to, tls: hopTls(hop, host, plan) });
    const observer = observe?.({ host: host.name, address, plan });
    return {
      remoteHost: host.name,
      destination: observer === undefined ? destination : observed(destination, hop, observer),
      ...(plan.proven ? {} : { unproven: true }),
      ...(plan.tls === 'barred' ? { barred: plan.because } : {}),
    };
  });
}

/** Sessions are counted for one domain each. */
function observed(destination: Destination, hop: RelayHop, observer: SessionObserver): Destination {
  return { ...destination, key: `${destination.key} for ${domainOf(hop)}`, observer };
}

/** A host that a route names is verified as itself, and by the way of its port. */
function hopTls(hop: RelayHop, host: MailHost, plan: TlsPlan): ChosenTls {
  if (hop.kind === 'mx' || (hop.tls !== 'starttls' && hop.tls !== 'implicit')) return plan;
  if (host.unproven === true)
    return { ...plan, connect: { ...plan.connect, tls: hop.tls }, key: `${hop.tls} ${plan.key}` };
  const { serverName } = plan.connect;
  return { connect: { tls: hop.tls, ...(serverName === undefined ? {} : { serverName }) }, key: hop.tls };
}

function portOf(hop: RelayHop, { port = mtaPort }: RouteOptions): number {
  if (hop.kind === 'mx') return port;
  return hop.port ?? (hop.kind === 'lmtp' ? lmtpPort : mtaPort);
}

type ChosenTls = Pick<TlsPlan, 'connect' | 'key'>;

interface Way {
  readonly to: Pick<ConnectOptions, 'host' | 'port' | 'path'>;
  readonly tls: ChosenTls;
}

function toDestination(hop: RelayHop, options: RouteOptions, { to, tls }: Way): Destination {
  const { name, ownNames, tlsMaterial, timeouts } = options;
  const login = hop.kind === 'mx' ? undefined : hop.login;
  const connect: ConnectOptions = {
    ...to,
    ...tls.connect,
    protocol: hop.kind === 'lmtp' ? 'lmtp' : 'smtp',
    name,
    ...(login === undefined ? {} : { credentials: login }),
    ...(tlsMaterial === undefined ? {} : { tlsMaterial }),
    ...(timeouts === undefined ? {} : { timeouts }),
  };
  const place = to.path ?? `${to.host} ${to.port} ${tls.connect.serverName}`;
  return {
    connect,
    // Connections are shared only where the same is asked of them: what one domain wants never holds another one up.
    key: `${connect.protocol} ${tls.key} ${login === undefined ? '' : `${login.user}\0${login.password}`} ${place}`,
    // Another server of this host, on another port or socket, may well have its name.
    ownNames:
      hop.kind === 'mx' || (hop.kind === 'smtp' && to.port === mtaPort) ? ownNames.map((own) => own.toLowerCase()) : [],
  };
}
