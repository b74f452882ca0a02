import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { type Outcome, sameOutcome } from '../queue/outcome.ts';
import type { Content, QueuedMessage, QueueStore } from '../queue/queue-store.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import { settle } from '../queue/settle.ts';
import { type Group, groupByNextHop } from './attempt.ts';
import { Deadlines } from './deadlines.ts';
import { type DestinationLimits, Destinations, type Waiting } from './destinations.ts';
import type { Log } from './log.ts';
import type { ReportWriter } from './report-writer.ts';
import { WakeTimer } from './wake-timer.ts';

/** What the scheduler works with. */
export interface SchedulerParts {
  readonly store: QueueStore;
  readonly route: (address: string) => NextHop;
  readonly agentFor: (nextHop: NextHop) => DeliveryAgent | undefined;
  readonly reports: ReportWriter;
  readonly policy: RetryPolicy;
  readonly limits: SchedulerLimits;
  readonly log: Log;
  readonly now: () => number;
  readonly chance: () => number;
}

/** What bounds the scheduler. */
export interface SchedulerLimits extends DestinationLimits {
  /** Messages in hand at a time. */
  readonly messages: number;
  /** Octets of content in hand at a time. */
  readonly octets: number;
  /** The longest that one attempt may take, in milliseconds. */
  readonly attemptTime: number;
}

interface InHand {
  message: QueuedMessage;
  readonly content: Content;
  readonly outcomes: Map<number, Outcome>;
  open: number;
  /** A job found no place: the message goes back and comes again soon. */
  crowded: boolean;
  /** What is being written about it: one thing after the other. */
  recording: Promise<void>;
}

const nothing = Promise.resolve();
const leaseTime = 60 * 60_000;
const crowdedWait = 5_000;
const longestSleep = 60_000;

/**
 * Takes messages in hand, from the session that committed them or from the store when they are due, and brings each to
 * the end of its attempt (RFC 5321 §4.5.4.1). What does not fit into the memory budget stays in the store until it does.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #destinations: Destinations;
  readonly #inHand = new Set<InHand>();
  readonly #deadlines: Deadlines;
  readonly #settling = new Set<Promise<void>>();
  readonly #timer: WakeTimer;
  #octets = 0;
  #watchdog: NodeJS.Timeout;
  #claiming: Promise<void> | undefined;
  #stopped = false;
  /** Whether the store may have more that is due, for which there was no room. */
  #left = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#destinations = new Destinations(parts.limits, (waiting) => this.#attempt(waiting));
    this.#deadlines = new Deadlines(parts.now, parts.limits.attemptTime);
    this.#timer = new WakeTimer(parts.now, longestSleep, () => this.wake());
    this.#watchdog = setInterval(() => this.#watch(), 10_000).unref();
  }

  /** Messages in hand. */
  get size(): number {
    return this.#inHand.size;
  }

  /** Takes a message that was just committed, its content still in memory. */
  take(message: QueuedMessage, content: Content): void {
    if (this.#stopped || !this.#hasRoom()) {
      this.#track(this.#giveBack(message));
      return;
    }
    this.#dispatch(message, content);
  }

  /** Looks at the store: something may be due. */
  wake(): void {
    if (this.#stopped || this.#claiming !== undefined) return;
    this.#left = !this.#hasRoom();
    if (this.#left) return;
    this.#claiming = this.#claim()
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'the queue cannot be read'))
      .finally(() => {
        this.#claiming = undefined;
        if (!this.#stopped) this.#sleep();
      });
  }

  /** Ends: jobs that did not begin go back at once, running ones get `grace` milliseconds. */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    this.#timer.clear();
    clearInterval(this.#watchdog);
    await this.#claiming;
    this.#destinations.giveBack();
    const abort = setTimeout(() => this.#deadlines.abortAll(), grace);
    while (this.#inHand.size > 0 || this.#settling.size > 0) {
      await Promise.allSettled(this.#settling);
      if (this.#inHand.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearTimeout(abort);
  }

  #hasRoom(): boolean {
    const { messages, octets } = this.#parts.limits;
    return this.#inHand.size < messages && this.#octets < octets;
  }

  async #claim(): Promise<void> {
    const { store, now, limits } = this.#parts;
    while (!this.#stopped && this.#hasRoom()) {
      const limit = Math.min(64, limits.messages - this.#inHand.size);
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

  /** Without a time the store has nothing to write but that the message is free again. */
  async #giveBack({ envelope, state }: QueuedMessage, due?: number): Promise<void> {
    await this.#parts.store.release(envelope.id, due);
    this.#wakeBy(due ?? state.due);
  }

  #dispatch(message: QueuedMessage, content: Content): void {
    const entry: InHand = { message, content, outcomes: new Map(), open: 1, crowded: false, recording: nothing };
    this.#inHand.add(entry);
    this.#octets += heldOctets(content);
    for (const group of groupByNextHop(message, this.#parts.route)) {
      entry.open += 1;
      this.#offer(entry, group);
    }
    this.#closeOne(entry);
  }

  #offer(entry: InHand, group: Group): void {
    const { envelope } = entry.message;
    const { nextHop, recipients } = group;
    const job = { envelope, recipients, content: entry.content, nextHop };
    const done = (outcomes: readonly Outcome[] | undefined) => {
      if (outcomes === undefined) entry.crowded = true;
      for (const [at, outcome] of outcomes?.entries() ?? []) entry.outcomes.set(group.indexes[at] as number, outcome);
      this.#closeOne(entry);
    };
    if (!this.#destinations.offer({ job, done })) done(undefined);
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
      .then(() => this.#settle(entry))
      .finally(() => {
        this.#settling.delete(settling);
        this.#inHand.delete(entry);
        this.#octets -= heldOctets(entry.content);
        if (this.#left) this.wake();
      });
    this.#settling.add(settling);
  }

  /** Writes down who has it already, while others of the message are under way: a crash must not deliver it to them twice. */
  async #record(entry: InHand): Promise<void> {
    const delivered = new Map([...entry.outcomes].filter(([, { kind }]) => kind === 'delivered'));
    if (delivered.size === 0 || entry.open === 0) return;
    for (const index of delivered.keys()) entry.outcomes.delete(index);
    const { message, content } = entry;
    try {
      const { state, notices } = settle({ ...this.#parts, message, outcomes: delivered, now: this.#parts.now() });
      if (state === 'done') throw new Error('done while jobs are open');
      const kept = { ...state, due: message.state.due };
      const reports = await this.#parts.reports.compose({ envelope: message.envelope, content, state, notices });
      await this.#parts.store.record(message.envelope.id, { state: kept, reports });
      if (reports.length > 0) this.#wakeBy(0);
      entry.message = { envelope: message.envelope, state: kept };
      this.#parts.log.outcomes(message.envelope, delivered);
    } catch (error) {
      for (const [index, outcome] of delivered) entry.outcomes.set(index, outcome);
      this.#parts.log.error({ id: message.envelope.id, err: error }, 'a delivery cannot be recorded yet');
    }
  }

  async #settle({ message, content, outcomes, crowded }: InHand): Promise<void> {
    const { store, policy, now, chance, log, reports } = this.#parts;
    const { envelope } = message;
    try {
      if (outcomes.size === 0 && message.state.recipients.some(({ kind }) => kind === 'pending')) {
        // Nothing was tried, or all that was tried is recorded.
        const later = crowded && !this.#stopped;
        return await this.#giveBack(message, later ? now() + crowdedWait * (0.5 + chance()) : undefined);
      }
      const settled = settle({ message, outcomes, policy, now: now(), chance });
      const state =
        settled.state !== 'done' && crowded ? { ...settled.state, due: now() + crowdedWait } : settled.state;
      const written = settled.notices.length === 0 ? [] : await reports.compose({ envelope, content, ...settled });
      await store.settle(envelope.id, { state, reports: written });
      log.outcomes(envelope, outcomes);
      if (written.length > 0) this.#wakeBy(0);
      else if (state !== 'done') this.#wakeBy(state.due);
    } catch (error) {
      // The store still has the message as it was before the attempt: it is tried again, which may double it, never lose it.
      log.error({ id: envelope.id, err: error }, 'the outcome cannot be recorded');
      await this.#giveBack(message, now() + longestSleep).catch(() => undefined);
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'the message cannot be given back'))
      .finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }

  #sleep(): void {
    this.#timer.clear();
    this.#left = !this.#hasRoom();
    const due = this.#left ? undefined : this.#parts.store.nextDue();
    if (due !== undefined) this.#wakeBy(due);
  }

  #wakeBy(due: number): void {
    if (!this.#stopped) this.#timer.by(due);
  }

  #watch(): void {
    this.#deadlines.watch();
    if (!this.#stopped && !this.#timer.isSet) this.#sleep();
  }
}

/** A large content stays in the store: only what is in hand counts. */
function heldOctets(content: Content): number {
  return content.bytes?.length ?? 0;
}
