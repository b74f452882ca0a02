import type { PoolLimits } from '@posthorn/smtp/client/pool';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import { type Outcome, sameOutcome } from '../queue/outcome.ts';
import { deliverToHosts } from './deliver-to-hosts.ts';
import { Destinations } from './destinations.ts';
import type { Signer } from './outgoing.ts';
import { Route, type RouteOptions } from './route.ts';

/** What a relay agent works with. */
export interface RelayOptions extends RouteOptions {
  /** Signs what leaves; absent: nobody does. */
  readonly sign?: Signer | undefined;
  /** Of each address of a host. */
  readonly limits?: Partial<PoolLimits>;
  /** Milliseconds that a host is left alone when it was not reached, 15 seconds by default. */
  readonly deadTime?: number;
}

const defaultLimits: PoolLimits = { connections: 20, messagesPerConnection: 1000, idleTime: 10_000, queue: 20_000 };
/** Passes mail on to other hosts by SMTP, or by LMTP where the next hop says so (RFC 5321 §3.6, RFC 2033 §1). */
export function createRelayAgent(options: RelayOptions): DeliveryAgent {
  const destinations = new Destinations({ ...defaultLimits, ...options.limits }, options.deadTime ?? 15_000);
  const route = new Route(options);
  const running = new Set<Promise<unknown>>();
  return {
    async deliver(job) {
      const work = deliver(job, { route, destinations, now: options.now, sign: options.sign });
      running.add(work);
      return work.finally(() => running.delete(work));
    },
    retryHosts: () => destinations.retryHosts(),
    async close() {
      await Promise.allSettled(running);
      await destinations.close();
    },
  };
}

interface Means {
  readonly route: Route;
  readonly destinations: Destinations;
  readonly now: () => number;
  readonly sign: Signer | undefined;
}

async function deliver(job: DeliveryJob, { route, destinations, now, sign }: Means): Promise<Outcome[]> {
  const { nextHop, signal } = job;
  if (nextHop.kind !== 'mx' && nextHop.kind !== 'smtp' && nextHop.kind !== 'lmtp') {
    throw new Error(`${nextHop.kind} is no other host`);
  }
  const stops = await route.find(nextHop, job.envelope, signal);
  if ('outcomeKind' in stops) {
    const { outcomeKind: kind, status, text } = stops;
    return sameOutcome(job.recipients.length, { kind, status, text, at: now() });
  }
  const outcomes = deliverToHosts(job, {
    stops,
    destinations,
    now,
    // What is delivered needs nobody's word any more.
    sign: nextHop.kind === 'lmtp' ? undefined : sign,
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
