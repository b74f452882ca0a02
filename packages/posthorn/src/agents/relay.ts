import type { ConnectOptions, Tls } from '@posthorn/smtp/client/connect-client';
import type { PoolLimits } from '@posthorn/smtp/client/pool';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { TlsMaterial } from '@posthorn/smtp/net/secure';
import type { ClientTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { type Outcome, sameOutcome } from '../queue/outcome.ts';
import { deliverToHosts, type Stop } from './deliver-to-hosts.ts';
import { Destinations } from './destinations.ts';
import { findHosts, type HostFinder, type MailHost } from './find-hosts.ts';
import type { HostAddress } from './look-up-addresses.ts';

/** What a relay agent works with. */
export interface RelayOptions extends HostFinder {
  /** What it calls itself in EHLO: a domain or an address literal (RFC 5321 §4.1.4). */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Certificates to trust and to show. */
  readonly tlsMaterial?: TlsMaterial;
  readonly timeouts?: Partial<ClientTimeouts>;
  /** Of each address of a host. */
  readonly limits?: Partial<PoolLimits>;
  /** The port of mail exchangers, 25 by default. */
  readonly port?: number;
  /** Milliseconds that a host is left alone when it was not reached, 15 seconds by default. */
  readonly deadTime?: number;
  /** Addresses that are tried for one message, 8 by default (RFC 5321 §5.1). */
  readonly mostAddressesTried?: number;
}

type RelayHop = Extract<NextHop, { kind: 'mx' | 'smtp' | 'lmtp' }>;

const defaultLimits: PoolLimits = { connections: 20, messagesPerConnection: 1000, idleTime: 10_000, queue: 20_000 };
const mtaPort = 25;
const lmtpPort = 24;

/** Passes mail on to other hosts by SMTP, or by LMTP where the next hop says so (RFC 5321 §3.6, RFC 2033 §1). */
export function createRelayAgent(options: RelayOptions): DeliveryAgent {
  const destinations = new Destinations({ ...defaultLimits, ...options.limits }, options.deadTime ?? 15_000);
  const running = new Set<Promise<unknown>>();
  return {
    async deliver(job) {
      const work = deliver(job, options, destinations);
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    async close() {
      await Promise.allSettled(running);
      await destinations.close();
    },
  };
}

async function deliver(job: DeliveryJob, options: RelayOptions, destinations: Destinations): Promise<Outcome[]> {
  const { nextHop, signal } = job;
  const { now } = options;
  if (nextHop.kind !== 'mx' && nextHop.kind !== 'smtp' && nextHop.kind !== 'lmtp') {
    throw new Error(`${nextHop.kind} is no other host`);
  }
  const stops = await findStops(nextHop, options, signal);
  if ('outcomeKind' in stops) {
    const { outcomeKind: kind, status, text } = stops;
    return sameOutcome(job.recipients.length, { kind, status, text, at: now() });
  }
  const outcomes = deliverToHosts(job, {
    stops,
    destinations,
    now,
    // Behind LMTP there is no further hop: what it accepts is delivered (RFC 2033 §4.2).
    handover: (dsn) => (dsn ? 'with-dsn' : nextHop.kind === 'lmtp' ? 'final' : 'without-dsn'),
    // Hosts that the configuration names are its mistake, not the recipient's.
    mayFail: nextHop.kind === 'mx',
  });
  return outcomes.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    const text = 'The message cannot be read now';
    return sameOutcome(job.recipients.length, { kind: 'deferred', status: '4.3.0', at: now(), text });
  });
}

async function findStops(hop: RelayHop, options: RelayOptions, signal: AbortSignal) {
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
      return { remoteHost: host.name, destination: toDestination(hop, options, connect) };
    });
}

/** Every address, host by host. */
function inTurns(hosts: readonly MailHost[]): { readonly host: MailHost; readonly address: HostAddress }[] {
  return hosts.flatMap((host) => host.addresses.map((address) => ({ host, address })));
}

function portOf(hop: RelayHop, { port = mtaPort }: RelayOptions): number {
  if (hop.kind === 'mx') return port;
  return hop.port ?? (hop.kind === 'lmtp' ? lmtpPort : mtaPort);
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(?:IPv6:)?|\]$/gi, '');
}

function toDestination(
  hop: RelayHop,
  options: RelayOptions,
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
