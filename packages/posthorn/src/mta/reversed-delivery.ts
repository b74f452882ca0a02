import type { Duplex } from 'node:stream';
import { deliverToHosts } from '../agents/deliver-to-hosts.ts';
import { OnlyConnection } from '../agents/only-connection.ts';
import type { Signer } from '../agents/outgoing.ts';
import { comesBeforeAttempt } from '../queue/deliver-by.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { QueuedMessage, QueueStore } from '../queue/queue-store.ts';
import { type Group, groupByNextHop } from './attempt.ts';
import type { Ledger } from './ledger.ts';
import type { Log } from './log.ts';

/** What mail is sent with over connections that were reversed. */
export interface ReversedParts {
  readonly hostname: string;
  readonly store: Pick<QueueStore, 'waitingFor' | 'claimOne' | 'content' | 'release'>;
  readonly ledger: Pick<Ledger, 'settle'>;
  readonly route: (address: string, target?: string) => NextHop;
  readonly log: Log;
  readonly now: () => number;
  /** Signs what leaves. */
  readonly sign?: Signer;
  /** Something may be due because of what was written down. */
  readonly wake: () => void;
}

/** One reversal. */
export interface Reversal {
  /** Normalized; mail for no other domain is sent. */
  readonly domains: ReadonlySet<string>;
  /** What the other end is called in reports. */
  readonly remoteHost: string;
  /** Ends it; what is under way then stays queued. */
  readonly signal: AbortSignal;
  /**
   * Whether the connection is within TLS. Deviates: who has logged in there is verified by that, and not by a certificate
   * (RFC 8689 §4.2.1).
   */
  readonly isPrivate: boolean;
}

/** Messages under way at a time: enough to keep the connection busy while others are written down. */
const atOnce = 4;
const leaseTime = 60 * 60_000;

/** Whether a recipient's mail waits to be fetched for one of the domains. */
function isWanted(nextHop: NextHop, domains: ReadonlySet<string>): boolean {
  return nextHop.kind === 'odmr' && domains.has(nextHop.domain);
}

/** What decides who can be fetched. */
export interface FetchSearch extends Pick<ReversedParts, 'route'>, Pick<Reversal, 'domains' | 'isPrivate'> {
  readonly now: number;
  /** Who was tried since is left out. */
  readonly since?: number;
}

/** The recipients of a message that wait to be fetched, whenever they are due. */
export function fetchableGroups(
  message: QueuedMessage,
  { route, domains, isPrivate, now, since = Number.POSITIVE_INFINITY }: FetchSearch,
): Group[] {
  const { envelope, state } = message;
  const waits = envelope.heldUntil !== undefined && envelope.heldUntil > now;
  if (waits || comesBeforeAttempt(message, now)) return [];
  // It waits for a connection that it may go over; but a report must not be lost (RFC 8689 §5).
  if (envelope.requireTls && envelope.reversePath !== '' && !isPrivate) return [];
  const wasTried = (index: number) => (state.recipients[index]?.last?.at ?? Number.NEGATIVE_INFINITY) > since;
  return groupByNextHop(message, { route, now: Number.POSITIVE_INFINITY }).filter(
    ({ nextHop, indexes }) => isWanted(nextHop, domains) && !indexes.every(wasTried),
  );
}

/** Sends all that waits for the domains, over the one connection, and ends with QUIT; gives how many messages were tried (RFC 2645 §5.3). */
export async function sendReversed(stream: Duplex, reversal: Reversal, parts: ReversedParts): Promise<number> {
  const { signal, domains, isPrivate } = reversal;
  const { hostname: name, store, now, log } = parts;
  const connection = await OnlyConnection.open(stream, { name, signal, queue: atOnce, isPrivate });
  const since = now();
  const underWay = new Set<Promise<void>>();
  let count = 0;
  for (const id of idsOf(store, domains)) {
    while (underWay.size >= atOnce) await Promise.race(underWay);
    if (!connection.usable || signal.aborted) break;
    const one: Promise<void> = sendOne(id, { ...reversal, connection, since, parts })
      .then((tried) => {
        if (tried) count += 1;
      })
      .catch((error: unknown) => log.error({ id, err: error }, 'the message cannot be sent to who fetches it'))
      .finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
  await connection.close();
  return count;
}

function* idsOf(store: Pick<QueueStore, 'waitingFor'>, domains: ReadonlySet<string>): Iterable<string> {
  for (const domain of domains) yield* store.waitingFor({ domain });
}

interface Sending extends Reversal {
  readonly connection: OnlyConnection;
  /** When the reversal began: what was tried since is not tried again. */
  readonly since: number;
  readonly parts: ReversedParts;
}

async function sendOne(id: string, sending: Sending): Promise<boolean> {
  const { store, now } = sending.parts;
  const message = await store.claimOne(id, { now: now(), until: now() + leaseTime });
  if (message === undefined) return false;
  const groups = fetchableGroups(message, { ...sending, route: sending.parts.route, now: now() });
  if (groups.length === 0) {
    await store.release(id);
    return false;
  }
  try {
    await settleGroups(message, groups, sending);
    return true;
  } catch (error) {
    await store.release(id);
    throw error;
  }
}

async function settleGroups(message: QueuedMessage, groups: readonly Group[], sending: Sending): Promise<void> {
  const { connection, remoteHost, signal, parts } = sending;
  const { store, ledger, now, wake, sign } = parts;
  const content = await store.content(message.envelope.id);
  const outcomes = new Map<number, Outcome>();
  // Neither key nor way there: the connection is the only one.
  const destination = { connect: {}, key: '', ownNames: [] };
  for (const { envelope, recipients, nextHop, indexes } of groups) {
    const found = await deliverToHosts(
      { envelope, recipients, content, nextHop, signal },
      {
        stops: [{ remoteHost, destination }],
        destinations: { send: (_destination, parcel, patience) => connection.send(parcel, patience) },
        now,
        sign,
        handover: (dsn) => (dsn ? 'with-dsn' : 'without-dsn'),
        // Who refuses all mail today may fetch it tomorrow.
        mayFail: false,
      },
    );
    for (const [at, outcome] of found.entries()) outcomes.set(indexes[at] as number, outcome);
  }
  const entry = { message, content, outcomes, open: 0, crowded: false, recording: Promise.resolve() };
  const untried = Math.max(message.state.due, now());
  if ((await ledger.settle(entry, { stopped: false, untried })) !== undefined) wake();
}
