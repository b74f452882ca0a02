import { comesBeforeAttempt } from '../queue/deliver-by.ts';
import type { DeliveryAgent, DeliveryJob } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { type Outcome, sameOutcome } from '../queue/outcome.ts';
import type { Content, QueuedMessage, QueueStore } from '../queue/queue-store.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import { type Group, groupByNextHop } from './attempt.ts';
import { Deadlines } from './deadlines.ts';
import { type DestinationLimits, Destinations, type Waiting } from './destinations.ts';
import { Hand, type HandLimits } from './hand.ts';
import { type InHand, Ledger } from './ledger.ts';
import type { Log } from './log.ts';
import type { ReportWriter } from './report-writer.ts';
import { WakeTimer } from './wake-timer.ts';

/** What the scheduler works with. */
export interface SchedulerParts {
  readonly store: QueueStore;
  readonly route: (address: string, target?: string) => NextHop;
  readonly agentFor: (nextHop: NextHop) => DeliveryAgent | undefined;
  readonly reports: ReportWriter;
  readonly policy: RetryPolicy;
  readonly limits: SchedulerLimits;
  readonly log: Log;
  readonly now: () => number;
  readonly chance: () => number;
}

/** What bounds the scheduler. */
export interface SchedulerLimits extends DestinationLimits, HandLimits {
  /** The longest that one attempt may take, in milliseconds. */
  readonly attemptTime: number;
}

const leaseTime = 60 * 60_000;
const longestSleep = 60_000;

/**
 * Takes messages in hand, from the session that committed them or from the store when they are due, and brings each to
 * the end of its attempt (RFC 5321 §4.5.4.1). What does not fit into the memory budget stays in the store until it does.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #destinations: Destinations;
  readonly #hand: Hand;
  readonly #ledger: Ledger;
  readonly #deadlines: Deadlines;
  readonly #settling = new Set<Promise<void>>();
  readonly #timer: WakeTimer;
  #watchdog: NodeJS.Timeout;
  #claiming: Promise<void> | undefined;
  #stopped = false;
  /** Whether the store may have more that is due, for which there was no room. */
  #left = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#hand = new Hand(parts.limits);
    this.#destinations = new Destinations(parts.limits, (waiting) => this.#attempt(waiting));
    this.#ledger = new Ledger(parts);
    this.#deadlines = new Deadlines(parts.now, parts.limits.attemptTime);
    this.#timer = new WakeTimer(parts.now, longestSleep, () => this.wake());
    this.#watchdog = setInterval(() => this.#watch(), 10_000).unref();
  }

  /** Messages in hand. */
  get size(): number {
    return this.#hand.size;
  }

  /** Whether it takes no more in hand for now. */
  get isFull(): boolean {
    return this.#hand.room === 0;
  }

  /** Takes a message that was just committed, its content still in memory. */
  take(message: QueuedMessage, content: Content): void {
    if (this.#stopped || this.#hand.room === 0) {
      // With a time the store gives it the place of its priority.
      const { envelope, state } = message;
      this.#track(this.#giveBack(message, envelope.priority === undefined ? undefined : state.due));
      return;
    }
    this.#dispatch(message, content);
  }

  /** Resolves when it is written down what becomes of those in hand now that are wanted. */
  writtenDown(isWanted: (message: QueuedMessage) => boolean): Promise<void> {
    return this.#hand.writtenDown(isWanted);
  }

  /** Looks at the store: something may be due. */
  wake(): void {
    if (this.#stopped || this.#claiming !== undefined) return;
    this.#left = this.#hand.room === 0;
    if (this.#left) return;
    this.#claiming = this.#claim()
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'the queue cannot be read'))
      .finally(() => {
        this.#claiming = undefined;
        if (!this.#stopped) this.#sleep();
      });
  }

  /**
   * Ends: jobs that did not begin go back at once, running ones get `grace` milliseconds, and then `farewell` more to end
   * what they are at. What does not heed even that is left: the store has it as it was before.
   */
  async stop(grace: number, farewell = 5_000): Promise<void> {
    this.#stopped = true;
    this.#timer.clear();
    clearInterval(this.#watchdog);
    const abort = setTimeout(() => this.#deadlines.abortAll(), grace);
    let leave: NodeJS.Timeout | undefined;
    const end = new Promise<'left'>((resolve) => {
      leave = setTimeout(() => resolve('left'), grace + farewell);
    });
    if ((await Promise.race([this.#drain(), end])) === 'left') {
      this.#parts.log.error({ messages: this.#hand.size }, 'attempts do not end; they are left');
    }
    clearTimeout(abort);
    clearTimeout(leave);
  }

  async #drain(): Promise<void> {
    await this.#claiming;
    this.#destinations.giveBack();
    while (this.#hand.size > 0 || this.#settling.size > 0) {
      await Promise.allSettled(this.#settling);
      if (this.#hand.size > 0) await new Promise((resolve) => setTimeout(resolve, 10).unref());
    }
  }

  async #claim(): Promise<void> {
    const { store, now } = this.#parts;
    while (!this.#stopped && this.#hand.room > 0) {
      const limit = Math.min(64, this.#hand.room);
      const claimed = await store.claim({ now: now(), limit, until: now() + leaseTime });
      for (const message of claimed) await this.#resume(message);
      if (claimed.length < limit) return;
    }
  }

  async #resume(message: QueuedMessage): Promise<void> {
    const { store, log, now } = this.#parts;
    const { id } = message.envelope;
    try {
      if (this.#stopped) return await store.release(id);
      this.#dispatch(message, await store.content(id));
    } catch (error) {
      // One message that cannot be read must not stop the others: it comes again later, and the log says so each time.
      log.error({ id, err: error }, 'the message cannot be read');
      await store.release(id, now() + 10 * longestSleep).catch(() => undefined);
    }
  }

  async #giveBack(message: QueuedMessage, due?: number): Promise<void> {
    this.#wakeBy(await this.#ledger.giveBack(message, due));
  }

  #dispatch(message: QueuedMessage, content: Content): void {
    const now = this.#parts.now();
    const { heldUntil } = message.envelope;
    // Whatever made it due: it is not let go before its time (RFC 4865 §4.2).
    if (heldUntil !== undefined && heldUntil > now) {
      this.#track(this.#giveBack(message, heldUntil));
      return;
    }
    const entry = this.#hand.take(message, content);
    const groups = comesBeforeAttempt(message, now) ? [] : groupByNextHop(message, { route: this.#parts.route, now });
    for (const group of groups) {
      entry.open += 1;
      this.#offer(entry, group);
    }
    this.#closeOne(entry);
  }

  #offer(entry: InHand, group: Group): void {
    const { envelope, nextHop, recipients } = group;
    const { content, message } = entry;
    const job = { envelope, recipients, content, nextHop, ...earlierOf(message, group), ...this.#begunOf(entry) };
    const done = (outcomes: readonly Outcome[] | undefined) => {
      if (outcomes === undefined) entry.crowded = true;
      for (const [at, outcome] of outcomes?.entries() ?? []) entry.outcomes.set(group.indexes[at] as number, outcome);
      this.#closeOne(entry);
    };
    if (!this.#destinations.offer({ job, done })) done(undefined);
  }

  /** Only what is too large for the memory is worth to be gone on with after a crash. */
  #begunOf(entry: InHand): Pick<DeliveryJob, 'begun'> {
    if (entry.content.bytes !== undefined) return {};
    return {
      begun: (recipients, outcome) => {
        entry.recording = entry.recording.then(() => this.#ledger.recordBegun(entry, recipients, outcome));
      },
    };
  }

  async #attempt(waiting: Waiting): Promise<void> {
    const { job, done } = waiting;
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#deliver(waiting);
    } catch (error) {
      this.#parts.log.error({ id: job.envelope.id, err: error }, 'the attempt failed by a fault of our own');
      const fault = { kind: 'deferred', status: '4.3.0', at: this.#parts.now(), text: 'Internal error' } as const;
      outcomes = sameOutcome(job.recipients.length, fault);
    }
    done(outcomes);
  }

  async #deliver({ job }: Waiting): Promise<readonly Outcome[]> {
    const { nextHop } = job;
    if (nextHop.kind === 'nowhere') {
      const { status, text } = nextHop;
      return sameOutcome(job.recipients.length, { kind: 'failed', status, text, at: this.#parts.now() });
    }
    const agent = this.#parts.agentFor(nextHop);
    if (agent === undefined) throw new Error(`no agent for ${nextHop.kind}`);
    return agent.deliver({ ...job, signal: this.#deadlines.signal() });
  }

  #closeOne(entry: InHand): void {
    entry.open -= 1;
    if (entry.open > 0) {
      if (entry.outcomes.size > 0) entry.recording = entry.recording.then(() => this.#record(entry));
      return;
    }
    const settling: Promise<void> = entry.recording
      .then(() => this.#ledger.settle(entry, { stopped: this.#stopped }))
      .then((due) => this.#wakeBy(due))
      .finally(() => {
        this.#settling.delete(settling);
        this.#hand.drop(entry);
        if (this.#left) this.wake();
      });
    this.#settling.add(settling);
  }

  async #record(entry: InHand): Promise<void> {
    if (entry.open > 0) this.#wakeBy(await this.#ledger.record(entry));
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'the message cannot be given back'))
      .finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }

  #sleep(): void {
    this.#timer.clear();
    this.#left = this.#hand.room === 0;
    this.#wakeBy(this.#left ? undefined : this.#parts.store.nextDue());
  }

  #wakeBy(due: number | undefined): void {
    if (due !== undefined && !this.#stopped) this.#timer.by(due);
  }

  #watch(): void {
    this.#deadlines.watch();
    if (!this.#stopped && !this.#timer.isSet) this.#sleep();
  }
}

/** What came of the last attempt for the recipients of a group. */
function earlierOf({ state }: QueuedMessage, { indexes }: Group): Pick<DeliveryJob, 'earlier'> {
  if (indexes.every((index) => state.recipients[index]?.last === undefined)) return {};
  return { earlier: indexes.map((index) => state.recipients[index]?.last) };
}
