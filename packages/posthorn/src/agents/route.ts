import { isIP } from 'node:net';
import type { ConnectOptions, Tls } from '@posthorn/smtp/client/connect-client';
import type { TlsMaterial } from '@posthorn/smtp/net/secure';
import type { ClientTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import type { NextHop } from '../queue/next-hop.ts';
import type { NoHost } from '../routing/exchangers.ts';
import type { Stop } from './deliver-to-hosts.ts';
import { findHosts, type HostFinder, type MailHost } from './find-hosts.ts';
import type { HostAddress } from './look-up-addresses.ts';

/** What finding the way to a next hop works with. */
export interface RouteOptions extends HostFinder {
  /** What it calls itself in EHLO: a domain or an address literal (RFC 5321 §4.1.4). */
  readonly name: string;
  /** Certificates to trust and to show. */
  readonly tlsMaterial?: TlsMaterial;
  readonly timeouts?: Partial<ClientTimeouts>;
  /** The port of mail exchangers, 25 by default. */
  readonly port?: number;
  /** Addresses that are tried for one message, 8 by default (RFC 5321 §5.1). */
  readonly mostAddressesTried?: number;
}

/** A next hop that is another host. */
export type RelayHop = Extract<NextHop, { kind: 'mx' | 'smtp' | 'lmtp' }>;

const mtaPort = 25;
const lmtpPort = 24;

/** Knows the addresses that mail for a next hop is tried at, in their order (RFC 5321 §5.1). */
export class Route {
  readonly #options: RouteOptions;
  /** Of next hops that no look-up can change; the router gives the same object for all mail that goes there. */
  readonly #fixed = new WeakMap<RelayHop, readonly Stop[]>();

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** The stops, at least one; or what becomes of the mail without any. */
  async find(hop: RelayHop, signal: AbortSignal): Promise<readonly Stop[] | NoHost> {
    const known = this.#fixed.get(hop);
    if (known !== undefined) return known;
    const stops = await findStops(hop, this.#options, signal);
    if ('outcomeKind' in stops || !isFixed(hop)) return stops;
    this.#fixed.set(hop, stops);
    return stops;
  }
}

function isFixed(hop: RelayHop): boolean {
  return hop.kind !== 'mx' && (hop.path !== undefined || isIP(hop.host ?? '') !== 0);
}

async function findStops(hop: RelayHop, options: RouteOptions, signal: AbortSignal): Promise<Stop[] | NoHost> {
  if (hop.kind !== 'mx' && hop.path !== undefined) {
    return [{ remoteHost: options.name, destination: toDestination(hop, options, { path: hop.path }) }];
  }
  const found = await findHosts(
    {
      domain: hop.kind === 'mx' ? hop.domain : (hop.host ?? 'localhost'),
      lookupMx: hop.kind === 'mx' || hop.lookupMx,
      configured: hop.kind !== 'mx',
      signal,
    },
    options,
  );
  if (found.kind === 'outcome') return found;
  return inTurns(found.hosts)
    .slice(0, options.mostAddressesTried ?? 8)
    .map(({ host, address }): Stop => {
      const serverName = hop.kind === 'mx' || hop.lookupMx ? host.name : (hop.host ?? host.name);
      const connect = { host: address.address, port: portOf(hop, options), serverName: withoutBrackets(serverName) };
      const destination = toDestination(hop, options, connect);
      return { remoteHost: host.name, destination, ...(host.unproven ? { unproven: true } : {}) };
    });
}

/** Every address, host by host. */
function inTurns(hosts: readonly MailHost[]): { readonly host: MailHost; readonly address: HostAddress }[] {
  return hosts.flatMap((host) => host.addresses.map((address) => ({ host, address })));
}

function portOf(hop: RelayHop, { port = mtaPort }: RouteOptions): number {
  if (hop.kind === 'mx') return port;
  return hop.port ?? (hop.kind === 'lmtp' ? lmtpPort : mtaPort);
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(?:IPv6:)?|\]$/gi, '');
}

function toDestination(
  hop: RelayHop,
  options: RouteOptions,
  to: Pick<ConnectOptions, 'host' | 'port' | 'path' | 'serverName'>,
) {
  const { name, ownNames, tlsMaterial, timeouts } = options;
  const tls: Tls = hop.kind === 'mx' ? 'opportunistic' : hop.tls;
  const login = hop.kind === 'mx' ? undefined : hop.login;
  const connect: ConnectOptions = {
    ...to,
    protocol: hop.kind === 'lmtp' ? 'lmtp' : 'smtp',
    tls,
    name,
    ...(login === undefined ? {} : { credentials: login }),
    ...(tlsMaterial === undefined ? {} : { tlsMaterial }),
    ...(timeouts === undefined ? {} : { timeouts }),
  };
  const place = to.path ?? `${to.host} ${to.port} ${to.serverName}`;
  return {
    connect,
    key: `${connect.protocol} ${tls} ${login === undefined ? '' : `${login.user}\0${login.password}`} ${place}`,
    // Another server of this host, on another port or socket, may well have its name.
    ownNames:
      hop.kind === 'mx' || (hop.kind === 'smtp' && to.port === mtaPort) ? ownNames.map((own) => own.toLowerCase()) : [],
  };
}
