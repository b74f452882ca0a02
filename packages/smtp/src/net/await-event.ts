import type { EventEmitter } from 'node:events';
import { Failure } from '../failure/failure.ts';
import { socketFailure } from './socket-failure.ts';

/** What a wait for a socket is bound by. */
export interface Wait {
  /** What goes on, for the message of a failure. */
  readonly what: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Waits for one event of a socket. Rejects with Failure on error, close, time-out or abort; leaves no listener behind. */
export function awaitEvent(emitter: EventEmitter, event: string, { what, timeout, signal }: Wait): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: Failure) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      emitter.off(event, onEvent).off('error', onError).off('close', onClose);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const onEvent = () => settle();
    const onError = (error: unknown) => settle(socketFailure(error, what));
    const onClose = () => settle(new Failure('lost', `${what}: connection closed`));
    const onAbort = () => settle(new Failure('aborted', `${what}: aborted`, signal?.reason));
    const timer = setTimeout(() => settle(new Failure('timeout', `${what}: no answer in ${timeout} ms`)), timeout);
    emitter.once(event, onEvent).once('error', onError).once('close', onClose);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
}

/** Waits for a promise no longer than it may take; `late` gets what comes after that. Rejects with Failure on time-out or abort. */
export function awaitPromise<T>(
  promise: Promise<T>,
  { what, timeout, signal }: Wait,
  late: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let open = true;
    const settle = (then: () => void) => {
      open = false;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      then();
    };
    const onAbort = () => settle(() => reject(new Failure('aborted', `${what}: aborted`, signal?.reason)));
    const onTime = () => settle(() => reject(new Failure('timeout', `${what}: no answer in ${timeout} ms`)));
    const timer = setTimeout(onTime, timeout);
    signal?.addEventListener('abort', onAbort);
    promise.then(
      (value) => (open ? settle(() => resolve(value)) : late(value)),
      (error: unknown) => open && settle(() => reject(socketFailure(error, what))),
    );
    if (signal?.aborted) onAbort();
  });
}
