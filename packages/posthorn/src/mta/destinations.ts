import type { DeliveryJob } from '../queue/delivery-agent.ts';
import type { Outcome } from '../queue/outcome.ts';
import { WaitingLine } from './waiting-line.ts';

/** A job that waits for its turn, and who is told what came of it. */
export interface Waiting {
  readonly job: Omit<DeliveryJob, 'signal'>;
  /** Undefined: the job did not begin. */
  done(outcomes: readonly Outcome[] | undefined): void;
}

/** How jobs to one next hop run. */
export interface DestinationLimits {
  /** Jobs at a time to one next hop. */
  readonly concurrency: number;
  /** Jobs that may wait for one next hop; more go back to the spool, so that one slow host does not fill the memory. */
  readonly waiting: number;
}

interface Destination {
  running: number;
  /** None as long as nothing has to wait. */
  waiting?: WaitingLine;
}

/** Runs jobs, a bounded number of them to each next hop; one destination never holds up another (RFC 5321 §4.5.4.1). */
export class Destinations {
  readonly #limits: DestinationLimits;
  readonly #run: (waiting: Waiting) => Promise<void>;
  readonly #byKey = new Map<string, Destination>();

  constructor(limits: DestinationLimits, run: (waiting: Waiting) => Promise<void>) {
    this.#limits = limits;
    this.#run = run;
  }

  /** Takes a job; false when too many of no lower priority wait for its next hop already. */
  offer(waiting: Waiting): boolean {
    const key = waiting.job.nextHop.key;
    const destination: Destination = this.#byKey.get(key) ?? { running: 0 };
    if (destination.running < this.#limits.concurrency) {
      this.#byKey.set(key, destination);
      this.#start(key, destination, waiting);
      return true;
    }
    destination.waiting ??= new WaitingLine();
    const isFull = destination.waiting.length >= this.#limits.waiting;
    const displaced = isFull ? destination.waiting.displace(waiting.job.envelope.priority ?? 0) : undefined;
    if (isFull && displaced === undefined) return false;
    destination.waiting.push(waiting);
    displaced?.done(undefined);
    return true;
  }

  /** Gives back all jobs that have not begun: their `done` gets undefined. */
  giveBack(): void {
    for (const { waiting } of this.#byKey.values()) for (const { done } of waiting?.clear() ?? []) done(undefined);
  }

  #start(key: string, destination: Destination, waiting: Waiting): void {
    destination.running += 1;
    this.#run(waiting).finally(() => {
      destination.running -= 1;
      const next = destination.waiting?.shift();
      if (next !== undefined) this.#start(key, destination, next);
      else if (destination.running === 0) this.#byKey.delete(key);
    });
  }
}
