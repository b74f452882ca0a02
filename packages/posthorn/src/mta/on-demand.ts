import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { serverReply } from '@posthorn/smtp/protocol/server-reply';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session, TakeOver } from '@posthorn/smtp/server';
import type { QueuedMessage, QueueStore } from '../queue/queue-store.ts';
import { fetchableDomains, type RightsSource } from './fetch-rights.ts';
import { RequestRate } from './request-rate.ts';
import { type FetchSearch, fetchableGroups, type ReversedParts, sendReversed } from './reversed-delivery.ts';

/** What on-demand relay works with. */
export interface OnDemandParts extends Omit<ReversedParts, 'store'> {
  readonly store: ReversedParts['store'] & Pick<QueueStore, 'get'>;
  /** Who may fetch what, as it stands now. */
  readonly rights: () => RightsSource;
  readonly requestsPerMinute: number;
  /** Milliseconds that one reversal may take. */
  readonly longest: number;
  /** Resolves when it is written down what became of the messages in hand that are wanted. */
  readonly writtenDown: (isWanted: (message: QueuedMessage) => boolean) => Promise<unknown>;
}

const refused = reply(450, '4.7.1', 'ATRN request refused');
const unable = reply(451, '4.3.0', 'Unable to process ATRN request now');
const noMail = reply(453, '4.2.0', 'You have no mail');

/** Messages that are looked at in search of one that can be fetched. */
const mostLookedAt = 1000;
/** How long mail that came a moment ago is waited for, in milliseconds. */
const patience = 5_000;

/** Gives mail to those who fetch it, over the connections that they open (RFC 2645 §4). */
export class OnDemand {
  readonly #parts: OnDemandParts;
  readonly #rate: RequestRate;
  readonly #stop = new AbortController();
  /** By login: one that fetches already gets no second connection. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: OnDemandParts) {
    this.#parts = parts;
    this.#rate = new RequestRate(parts.requestsPerMinute, parts.now);
  }

  /** Answers ATRN: one domain that is not the login's refuses all of them (RFC 2645 §5.2.1). */
  async atrn(session: Session, asked: readonly string[]): Promise<TakeOver | Reply> {
    const { login } = session;
    if (login === undefined || this.#running.has(login) || !this.#rate.take(login)) return refused;
    try {
      const owned = fetchableDomains(login, this.#parts.rights());
      const wanted = asked.length === 0 ? [...owned] : asked.map(normalizeDomain);
      const domains = new Set(wanted.filter((domain) => domain !== undefined && owned.has(domain)) as string[]);
      if (domains.size === 0 || wanted.some((domain) => domain === undefined || !owned.has(domain))) return refused;
      return (await this.#hasMail(this.#search(session, domains)))
        ? (stream) => this.#run(stream, { session, login, domains })
        : noMail;
    } catch (error) {
      this.#parts.log.error({ login, err: error }, 'what the login may fetch cannot be looked up');
      return unable;
    }
  }

  /** Answers TURN: for all domains of the login, and also when there is no mail, for it has no reply that says so (RFC 821 §3.8). */
  async turn(session: Session): Promise<TakeOver | Reply> {
    const { login, tls } = session;
    if (login === undefined || tls === undefined) return serverReply.notServed;
    try {
      const domains = fetchableDomains(login, this.#parts.rights());
      if (domains.size === 0 || this.#running.has(login) || !this.#rate.take(login)) return serverReply.notServed;
      return (stream) => this.#run(stream, { session, login, domains });
    } catch (error) {
      this.#parts.log.error({ login, err: error }, 'what the login may fetch cannot be looked up');
      return serverReply.failed;
    }
  }

  /** Ends all that is under way; what was not taken stays queued. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running.values());
  }

  #search({ tls }: Session, domains: ReadonlySet<string>): FetchSearch {
    const { route, now } = this.#parts;
    return { route, domains, now: now(), isPrivate: tls !== undefined };
  }

  /** Whether there is mail to be fetched; what has just come in counts. */
  async #hasMail(search: FetchSearch): Promise<boolean> {
    if (await this.#findsMail(search)) return true;
    const written = this.#parts.writtenDown((message) => fetchableGroups(message, search).length > 0);
    await Promise.race([written, wait(patience, undefined, { ref: false })]);
    return this.#findsMail(search);
  }

  async #findsMail(search: FetchSearch): Promise<boolean> {
    const { store } = this.#parts;
    let looked = 0;
    for (const domain of search.domains) {
      for (const id of store.waitingFor({ domain })) {
        const message = await store.get(id);
        if (message !== undefined && fetchableGroups(message, search).length > 0) return true;
        looked += 1;
        if (looked >= mostLookedAt) return false;
      }
    }
    return false;
  }

  #run(
    stream: Duplex,
    { session, login, domains }: { session: Session; login: string; domains: ReadonlySet<string> },
  ): Promise<void> {
    const { log, longest } = this.#parts;
    const remoteHost = session.hello?.name ?? session.clientAddress;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(longest)]);
    const about = { login, client: session.clientAddress };
    log.info({ ...about, domains: [...domains].slice(0, 20) }, 'mail is fetched');
    const isPrivate = session.tls !== undefined;
    const work = sendReversed(stream, { domains, remoteHost, signal, isPrivate }, this.#parts)
      .then((messages) => log.info({ ...about, messages }, 'mail was fetched'))
      .catch((error: unknown) => log.warn({ ...about, err: error }, 'mail cannot be given to who fetches it'))
      .finally(() => {
        stream.destroy();
        this.#running.delete(login);
      });
    this.#running.set(login, work);
    return work;
  }
}
