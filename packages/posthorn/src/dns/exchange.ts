import { Failure } from '@posthorn/smtp/failure/failure';
import type { NameServer } from './name-server.ts';
import type { WireReply } from './wire.ts';

/** One query to one server. */
export interface Exchange {
  readonly server: NameServer;
  readonly query: Buffer;
  /** Reads an answer to the query; undefined for anything else. */
  readonly read: (bytes: Buffer) => WireReply | undefined;
  /** Milliseconds to wait for it. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** What ends the waiting. */
export interface Ending {
  resolve(reply: WireReply): void;
  reject(failure: Failure): void;
}

/**
 * Waits for one reply, at most until the time-out or the signal. `begin` starts the exchange and gives back what ends
 * it; that is called once, however the exchange ends.
 */
export function untilReply(exchange: Exchange, begin: (ending: Ending) => () => void): Promise<WireReply> {
  const { timeout, signal } = exchange;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new Failure('aborted', 'given up'));
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      stop();
    };
    const ending: Ending = {
      resolve(reply) {
        end();
        resolve(reply);
      },
      reject(failure) {
        end();
        reject(failure);
      },
    };
    const abort = () => ending.reject(new Failure('aborted', 'given up'));
    const timer = setTimeout(() => ending.reject(new Failure('timeout', 'no answer')), timeout);
    signal.addEventListener('abort', abort, { once: true });
    const stop = begin(ending);
  });
}
