import { Failure } from '../failure/failure.ts';
import type { TrackingQuery } from '../mtqp/mtqp-command.ts';
import type { MtqpReply } from '../mtqp/mtqp-reply.ts';
import { hostOfEnvid } from '../mtqp/unique-envid.ts';
import { socketFailure } from '../net/socket-failure.ts';
import type { TrackingReport } from '../report/tracking-report.ts';
import { dnsTrackers, type TrackerAddress, type TrackerFinder } from './find-trackers.ts';
import { openTracker, type TrackerOptions } from './open-tracker.ts';
import type { TrackAnswer } from './tracker.ts';

/** Which message is followed, from where, and how. */
export interface TrackMessageOptions
  extends TrackingQuery,
    Pick<TrackerOptions, 'tls' | 'tlsMaterial' | 'timeouts' | 'socketFactory' | 'signal'> {
  /** The first server to ask; by default that of the host that made the ENVID. */
  readonly server?: TrackerAddress;
  /** How the tracking servers of a mail host are found; by default through DNS (RFC 3887 §2). */
  readonly findServers?: TrackerFinder;
  /** Hosts that are asked at most, 30 by default. */
  readonly mostHosts?: number;
}

/** What one host on the way of a message knows, and the hosts behind it. */
export interface TrackedHop {
  /** The mail host, as the one before it names it. */
  readonly host: string;
  /** What it knows; also of hosts behind it, where it asked them itself. */
  readonly reports: readonly TrackingReport[];
  /** What it said instead: that it knows nothing, or cannot tell now (RFC 3887 §4). */
  readonly reply?: MtqpReply;
  /** Why it said nothing: it was not reached, or not asked. */
  readonly failure?: Failure;
  /** The hosts that it passed the message on to, and that track it. */
  readonly next: readonly TrackedHop[];
}

interface Journey {
  readonly options: TrackMessageOptions;
  readonly findServers: TrackerFinder;
  readonly asked: Set<string>;
  readonly mostHosts: number;
}

/**
 * Follows a message from host to host as far as it is tracked. Whatever a host does is part of the answer; it rejects only
 * with Failure `invalid`, when there is no host to begin with (RFC 3887 §2, RFC 3886 §3.3.3).
 */
export async function trackMessage(options: TrackMessageOptions): Promise<TrackedHop> {
  const { server, envelopeId, findServers = dnsTrackers() } = options;
  const host = server?.host ?? hostOfEnvid(envelopeId);
  if (host === undefined) {
    throw new Failure('invalid', `${envelopeId} does not say which host made it: name the server to ask`);
  }
  const journey = { options, findServers, asked: new Set<string>(), mostHosts: options.mostHosts ?? 30 };
  return follow(host, journey, server === undefined ? undefined : [server]);
}

async function follow(host: string, journey: Journey, servers?: readonly TrackerAddress[]): Promise<TrackedHop> {
  const key = host.toLowerCase().replace(/^\[(?:ipv6:)?|\]$|\.$/g, '');
  const refusal = whyNot(key, journey);
  if (refusal !== undefined) return { host, reports: [], failure: refusal, next: [] };
  journey.asked.add(key);
  try {
    const answer = await ask(servers ?? (await journey.findServers(host)), journey.options);
    if (answer.kind === 'refused') return { host, reports: [], reply: answer.reply, next: [] };
    const { reports } = answer;
    const next: TrackedHop[] = [];
    for (const each of nextHosts(reports)) next.push(await follow(each, journey));
    return { host, reports, next };
  } catch (error) {
    return { host, reports: [], failure: socketFailure(error, host), next: [] };
  }
}

/** Two hosts that each say that the other has the message must not keep anybody busy. */
function whyNot(key: string, { asked, mostHosts, options }: Journey): Failure | undefined {
  if (asked.has(key)) return new Failure('limit', `${key} was asked already`);
  if (asked.size >= mostHosts) return new Failure('limit', `${mostHosts} hosts were asked, and there are more`);
  return options.signal?.aborted ? new Failure('aborted', 'aborted', options.signal.reason) : undefined;
}

/** The servers of one host know the same: the first that answers at all decides. */
async function ask(servers: readonly TrackerAddress[], options: TrackMessageOptions): Promise<TrackAnswer> {
  let failure = new Failure('dns', 'there is no server to ask');
  for (const server of servers) {
    try {
      return await askOne(server, options);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = error;
      if (error.kind === 'invalid' || error.kind === 'aborted') break;
    }
  }
  throw failure;
}

async function askOne(server: TrackerAddress, options: TrackMessageOptions): Promise<TrackAnswer> {
  const { envelopeId, secret, server: _, findServers: _finder, mostHosts: _most, ...rest } = options;
  const tracker = await openTracker({ ...rest, ...server });
  return tracker.track({ envelopeId, secret }).finally(() => tracker.close());
}

/** Hosts that have the message and track it, but for those that have answered already through this one (RFC 3886 §3.3.3). */
function nextHosts(reports: readonly TrackingReport[]): string[] {
  const known = new Set(reports.map(({ reportingMta }) => reportingMta.toLowerCase()));
  const hosts = new Map<string, string>();
  for (const { action, remoteMta } of reports.flatMap(({ recipients }) => recipients)) {
    if (action !== 'transferred' || remoteMta === undefined || known.has(remoteMta.toLowerCase())) continue;
    hosts.set(remoteMta.toLowerCase(), remoteMta);
  }
  return [...hosts.values()];
}
