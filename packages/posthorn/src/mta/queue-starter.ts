import { networkMatcher } from '@posthorn/smtp/address/network';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { formatEtrn } from '@posthorn/smtp/command/turn-arguments';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { EtrnRequest, Session } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { Log } from './log.ts';
import { RequestRate } from './request-rate.ts';
import { hasten, idsOf, type Selection, selectDomains } from './selection.ts';

/** What ETRN works with. */
export interface QueueStarterParts {
  readonly rules: NonNullable<Config['etrn']>;
  /** Domains that mail is relayed to. */
  readonly relayDomains: () => ReadonlySet<string>;
  readonly store: Pick<QueueStore, 'waitingFor' | 'change'>;
  readonly log: Log;
  readonly now: () => number;
  /** Something is due now. */
  readonly wake: () => void;
  /** A host that was not reached is there. */
  readonly retryHosts: () => void;
}

/** Messages up to which they are counted. */
const mostCounted = 1000;
/** Queues that are worked off at a time because somebody asked for it. */
const mostRuns = 100;
/** Messages that are written at a time. */
const atOnce = 64;

const started = (node: string) => reply(250, '2.0.0', `Ok, queuing for node ${node} started`);
const nothing = (node: string) => reply(251, '2.0.0', `Ok, no messages waiting for node ${node}`);
const some = (node: string) => reply(252, '2.0.0', `Ok, pending messages for node ${node} started`);
const counted = (node: string, count: number) =>
  reply(253, '2.0.0', `Ok, ${count} pending messages for node ${node} started`);
const unable = (node: string) => reply(458, '4.3.0', `Unable to queue messages for node ${node}`);
const notAllowed = (node: string, why: string) => reply(459, '4.7.1', `Node ${node} not allowed: ${why}`);

/** Has what waits for a host tried at once, on connections of our own, because the host asked for it (RFC 1985 §5.1). */
export class QueueStarter {
  readonly #parts: QueueStarterParts;
  readonly #rate: RequestRate;
  readonly #isListed: (address: string) => boolean;
  /** By what was asked for. */
  readonly #runs = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(parts: QueueStarterParts) {
    this.#parts = parts;
    this.#rate = new RequestRate(parts.rules.requestsPerMinute, parts.now);
    this.#isListed = networkMatcher(parts.rules.networks);
  }

  /** Answers ETRN at once, by what the queue knows (RFC 1985 §5.1). */
  etrn(session: Session, request: EtrnRequest): Reply {
    const node = formatEtrn(request);
    const { rules, relayDomains, log } = this.#parts;
    if (!this.#mayAsk(session)) return notAllowed(node, 'not for this client');
    if (!this.#rate.take(session.login ?? session.clientAddress)) return unable(node);
    const name = request.kind === 'queue' ? request.name : (normalizeDomain(request.name) ?? request.name);
    const selection = selectDomains({ ...request, name }, rules, relayDomains());
    if (selection === undefined) return notAllowed(node, 'no mail is kept for it here');
    try {
      return this.#start(node, selection);
    } catch (error) {
      log.error({ node, err: error }, 'the queue cannot be read');
      return unable(node);
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#runs.values());
  }

  #mayAsk({ login, clientAddress }: Session): boolean {
    return (login !== undefined && this.#parts.rules.logins.includes(login)) || this.#isListed(clientAddress);
  }

  #start(node: string, selection: Selection): Reply {
    const { store, log } = this.#parts;
    const key = node.toLowerCase();
    if (this.#runs.has(key)) return started(node);
    if (this.#stopped || this.#runs.size >= mostRuns) return unable(node);
    const found = new Set<string>();
    for (const id of idsOf(store, selection)) if (found.add(id).size > mostCounted) break;
    if (found.size === 0) return nothing(node);
    const run = this.#run(selection)
      .catch((error: unknown) => log.error({ node, err: error }, 'the queue cannot be started'))
      .finally(() => this.#runs.delete(key));
    this.#runs.set(key, run);
    this.#parts.retryHosts();
    log.info({ node, messages: found.size }, 'the queue is started');
    return found.size > mostCounted ? some(node) : counted(node, found.size);
  }

  async #run(selection: Selection): Promise<void> {
    const { store, now, wake } = this.#parts;
    let batch: Promise<boolean>[] = [];
    for (const id of idsOf(store, selection)) {
      batch.push(store.change(id, (message) => hasten(message, { selection, now: now() })));
      if (batch.length < atOnce) continue;
      await Promise.all(batch);
      batch = [];
      wake();
      if (this.#stopped) return;
    }
    await Promise.all(batch);
    wake();
  }
}
