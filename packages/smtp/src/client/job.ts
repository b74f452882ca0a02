import { Failure } from '../failure/failure.ts';
import type { AbortWatch } from '../net/abort-watch.ts';
import type { Alarm, Alarms } from '../net/alarms.ts';
import type { ClientTransaction } from '../protocol/client-transaction.ts';
import type { ClientConnection } from './connection.ts';
import type { Parcel } from './parcel.ts';
import type { SendResult } from './send-result.ts';

/** How long a caller waits. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for all of it, from the call to the result. */
  readonly deadline?: number | undefined;
}

/** What a job is made of. */
interface JobOptions extends Patience {
  readonly parcel: Parcel;
  readonly alarms: Alarms;
  readonly aborts: AbortWatch;
  /** Called once, with the result. */
  readonly done: (result: SendResult) => void;
}

/** A parcel with someone who waits for its result, and only for so long. */
export class Job {
  finished = false;
  readonly #options: JobOptions;
  readonly #alarm: Alarm | undefined;
  #connection: ClientConnection | undefined;
  #transaction: ClientTransaction | undefined;

  constructor(options: JobOptions) {
    this.#options = options;
    const { signal, deadline, alarms, aborts } = options;
    if (deadline !== undefined) {
      const late = () => this.cancel(new Failure('timeout', `not sent within ${deadline} ms`));
      this.#alarm = alarms.set(deadline, late);
    }
    if (signal?.aborted) this.#onAbort();
    else if (signal !== undefined) aborts.add(signal, this.#onAbort);
  }

  /** Begins the next transaction; `next` is called when it is over. False: the connection takes no more. */
  start(connection: ClientConnection, next: (step: 'again' | 'done') => void): boolean {
    let isOver = false;
    const transaction = this.#options.parcel.send(connection, (step) => {
      isOver = true;
      this.#transaction = undefined;
      next(step);
    });
    if (transaction !== undefined && !isOver) {
      this.#connection = connection;
      this.#transaction = transaction;
    }
    return transaction !== undefined;
  }

  /** Ends it with what is known. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    const { signal, alarms, aborts, parcel, done } = this.#options;
    if (signal !== undefined) aborts.delete(signal, this.#onAbort);
    alarms.clear(this.#alarm);
    done(parcel.result());
  }

  /** Ends it now; what has no answer yet is deferred with the failure. */
  cancel(failure: Failure): void {
    if (this.finished) return;
    this.#options.parcel.giveUp(failure);
    const transaction = this.#transaction;
    this.finish();
    if (transaction !== undefined) this.#connection?.abort(transaction);
  }

  readonly #onAbort = (): void => {
    this.cancel(new Failure('aborted', 'sending was aborted', this.#options.signal?.reason));
  };
}
