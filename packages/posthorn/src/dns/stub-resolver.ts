import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Failure } from '@posthorn/smtp/failure/failure';
import { AnswerCache } from './answer-cache.ts';
import { askServers } from './ask.ts';
import { follow } from './follow.ts';
import { Gate } from './gate.ts';
import { parseHostsFile } from './hosts-file.ts';
import type { Lookup, RecordType, RecordValues } from './lookup.ts';
import { type NameServer, parseNameServer } from './name-server.ts';
import { parseResolvConf } from './resolv-conf.ts';
import type { Answer, Resolver } from './resolver.ts';
import { resolverOver } from './resolver-over.ts';

/** How a stub resolver works; what is absent is as resolv.conf has it. */
export interface StubResolverOptions {
  /** Name servers in the order they are asked: `address`, `address:port` or `[address]:port`. */
  readonly servers?: readonly string[];
  /** Milliseconds for one try, 3,000 by default. */
  readonly timeout?: number;
  /** Rounds over the servers that keep silent, 2 by default. */
  readonly attempts?: number;
  /** Milliseconds for a whole look-up, its aliases and its waiting in line, 20,000 by default. */
  readonly deadline?: number;
  /** Whether the way to servers beyond this machine is safe, so that their AD bit counts (RFC 4035 §4.9.3). */
  readonly trustAd?: boolean;
  /** Answers kept, 10,000 by default. */
  readonly cacheSize?: number;
  /** Look-ups that run at once, 256 by default; each takes a socket. */
  readonly concurrency?: number;
  /** The clock of the cache, in milliseconds. */
  readonly now?: () => number;
  /** The system's resolver configuration, `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** The system's table of hosts, `/etc/hosts`. */
  readonly hostsFile?: string;
}

/** Longest times that answers and failures are kept, in seconds (RFC 8767 §4, RFC 9520 §3.2). */
const longestKept = 86_400;
const failureKept = 1;

/** Octets of the largest answer that is kept: a bound on the memory of the cache. */
const largestKept = 4096;

/** Look-ups that may wait for their turn. */
const longestLine = 10_000;

/**
 * A resolver that asks recursive name servers itself: Node's own tells neither security nor how long an answer holds.
 * Throws Failure `invalid` for a faulty server address (RFC 1034 §5.3.1).
 */
export function createStubResolver(options: StubResolverOptions = {}): Resolver {
  const system = parseResolvConf(readIfThere(options.resolvConf ?? '/etc/resolv.conf'));
  const ask = askServers({
    servers: options.servers?.map(readServer) ?? system.servers,
    timeout: options.timeout ?? system.timeout ?? 3000,
    attempts: options.attempts ?? system.attempts ?? 2,
    trustAd: options.trustAd ?? (options.servers === undefined && system.trustAd),
  });
  const cache = new AnswerCache<Answer<unknown>>(options.cacheSize ?? 10_000, options.now ?? (() => performance.now()));
  const gate = new Gate(options.concurrency ?? 256, longestLine);
  const running = new Map<string, Promise<Answer<unknown>>>();

  const lookUp = async <T extends RecordType>(type: T, name: string, key: string): Promise<Answer<RecordValues[T]>> => {
    const signal = AbortSignal.timeout(options.deadline ?? 20_000);
    const followed = await gate
      .run(() => follow(ask, { type, name }, signal))
      .catch((error: unknown) => {
        if (error instanceof Failure && error.kind === 'aborted') return undefined;
        throw error;
      })
      .finally(() => running.delete(key));
    const answer = followed?.answer ?? { kind: 'failed', text: 'no answer in time' };
    const ttl = answer.kind === 'failed' ? failureKept : Math.min(followed?.ttl ?? 0, longestKept);
    if ((followed?.size ?? 0) <= largestKept) cache.set(key, answer, ttl);
    return answer;
  };

  const lookup = (type: RecordType, name: string, signal: AbortSignal | undefined) => {
    const key = `${type} ${name}`;
    const kept = cache.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    let answer = running.get(key);
    if (answer === undefined) {
      answer = lookUp(type, name, key);
      running.set(key, answer);
    }
    // One who gives up leaves the look-up to the others who wait for it; its deadline ends it.
    return signal === undefined ? answer : unlessAborted(answer, signal);
  };
  return resolverOver(lookup as Lookup, parseHostsFile(readIfThere(options.hostsFile ?? '/etc/hosts')));
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Failure('aborted', 'The look-up was given up'));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function readServer(text: string): NameServer {
  const server = parseNameServer(text);
  if (server === undefined) throw new Failure('invalid', `Not the address of a name server: ${text}`);
  return server;
}

/** A machine without the file is as one with an empty file. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
