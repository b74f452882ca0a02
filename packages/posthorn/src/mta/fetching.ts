import { Failure } from '@posthorn/smtp/failure/failure';
import { readTextFile } from '../config/read-text-file.ts';
import type { Config } from '../config/schema.ts';
import { type FetchMeans, type FetchRequest, type FetchResult, fetchMail } from './fetch-mail.ts';
import type { FetchTally } from './fetch-tally.ts';
import type { Log } from './log.ts';

/** One entry of `fetch` in a configuration. */
export type FetchSource = Config['fetch'][number];

/** What fetching works with. */
export interface FetchingParts extends Omit<FetchMeans, 'signal' | 'onTurn'> {
  readonly sources: readonly FetchSource[];
  readonly log: Log;
}

/** The port where mail is asked for that way (RFC 2645 §4, RFC 1985 §3). */
export function defaultFetchPort(by: FetchRequest['by']): number {
  return by === 'atrn' ? 366 : 25;
}

/** How the connection is secured: who logs in needs TLS, and a question without a secret does not. */
export function defaultFetchTls(user: string | undefined): FetchRequest['tls'] {
  return user === undefined ? 'opportunistic' : 'starttls';
}

/** How long a round may take at most, in milliseconds. */
const longest = 6 * 60 * 60_000;
/** Requests that run at a time. */
const mostAtOnce = 32;

/** What to ask for by an entry of the configuration. Throws Failure `storage` when its password cannot be read. */
export function requestOf({ by, host, port, tls, user, domains, ...secret }: FetchSource): FetchRequest {
  const password = passwordOf(secret);
  return {
    by,
    host,
    port: port ?? defaultFetchPort(by),
    tls: tls ?? defaultFetchTls(user),
    domains,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

function passwordOf({ password, passwordFile }: Pick<FetchSource, 'password' | 'passwordFile'>): string | undefined {
  if (passwordFile === undefined) return password;
  const file = readTextFile(passwordFile);
  if ('reason' in file) throw new Failure('storage', `${passwordFile} cannot be read: ${file.reason}`);
  return file.text.split(/\r?\n/, 1)[0];
}

/** Fetches mail from other hosts: at intervals, and when it is asked to (RFC 2645 §4). */
export class Fetching {
  readonly #parts: FetchingParts;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: FetchingParts) {
    this.#parts = parts;
  }

  /** Begins the rounds of all entries. */
  start(): void {
    for (const source of this.#parts.sources) this.#round(source);
  }

  /** Fetches once. Rejects with Failure `limit` when too much is fetched already. */
  async fetch(request: FetchRequest, onTurn?: (tally: FetchTally) => void): Promise<FetchResult> {
    if (this.#running.size >= mostAtOnce) throw new Failure('limit', 'Too much mail is being fetched already');
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(longest)]);
    const work = fetchMail(request, { ...this.#parts, signal, ...(onTurn === undefined ? {} : { onTurn }) });
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Ends all that is under way; what was not taken stays where it is. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.allSettled(this.#running);
  }

  #round(source: FetchSource): void {
    const { log } = this.#parts;
    const about = { source: source.name, host: source.host };
    void Promise.resolve()
      .then(() => this.fetch(requestOf(source)))
      .then(({ said, ...result }) => {
        const isGood = result.kind === 'done' || result.kind === 'empty';
        log[isGood ? 'info' : 'warn'](
          { ...about, ...result, said: said.join('; ').slice(0, 400) },
          'mail was asked for',
        );
      })
      .catch((error: unknown) => log.error({ ...about, err: error }, 'mail cannot be asked for'))
      .finally(() => this.#later(source));
  }

  #later(source: FetchSource): void {
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#round(source);
    }, source.every).unref();
    this.#timers.add(timer);
  }
}
