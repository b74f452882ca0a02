import { isOverdue } from '../queue/deliver-by.ts';
import type { Recipient } from '../queue/envelope.ts';
import { ownDueTime } from '../queue/next-due.ts';
import type { Outcome } from '../queue/outcome.ts';
import type { Content, QueuedMessage, QueueStore, RecipientState } from '../queue/queue-store.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import { type Settled, settle } from '../queue/settle.ts';
import { trackedEnd } from '../queue/tracked-end.ts';
import { causesOf, discardCauses } from './causes.ts';
import type { Log } from './log.ts';
import type { ReportWriter } from './report-writer.ts';

/** What is written down with. */
export interface LedgerParts {
  readonly store: Pick<QueueStore, 'release' | 'record' | 'settle'>;
  readonly reports: Pick<ReportWriter, 'compose'>;
  readonly policy: RetryPolicy;
  readonly log: Log;
  readonly now: () => number;
  readonly chance: () => number;
}

/** A message whose attempt is under way. */
export interface InHand {
  message: QueuedMessage;
  readonly content: Content;
  /** By index of the recipient: what is known and not written down. */
  readonly outcomes: Map<number, Outcome>;
  /** Jobs that are not done. */
  open: number;
  /** A job found no place: the message goes back and comes again soon. */
  crowded: boolean;
  /** What is being written about it: one thing after the other. */
  recording: Promise<void>;
}

/** How an attempt ended. */
export interface Ending {
  /** All stops. */
  readonly stopped: boolean;
  /** When recipients are due again of whom nothing is known; by default soon. */
  readonly untried?: number;
}

const crowdedWait = 5_000;
const troubleWait = 60_000;

/** Writes down what became of messages; each call tells when something is due again because of it, if it is. */
export class Ledger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** Without a time the store has nothing to write but that the message is free again. */
  async giveBack({ envelope, state }: QueuedMessage, due?: number): Promise<number> {
    await this.#parts.store.release(envelope.id, due);
    return due ?? state.due;
  }

  /** Writes down who has it already, while others of the message are under way: a crash must not deliver it to them twice. */
  async record(entry: InHand): Promise<number | undefined> {
    const { policy, chance, now, reports, store, log } = this.#parts;
    const outcomes = new Map([...entry.outcomes].filter(([, { kind }]) => kind === 'delivered'));
    if (outcomes.size === 0) return undefined;
    for (const index of outcomes.keys()) entry.outcomes.delete(index);
    const { message, content } = entry;
    const { envelope } = message;
    try {
      const settled = settle({ message, outcomes, policy, chance, now: now(), partial: true });
      if (settled.state === 'done') throw new Error('done while jobs are open');
      const present = message.state.recipients;
      const recipients = settled.state.recipients.map((each, at) =>
        each.kind === 'pending' ? (present[at] ?? each) : each,
      );
      const state = { ...message.state, recipients };
      const told = await reports.compose({ envelope, content, state, notices: settled.notices });
      const written = [...told, ...causesOf(outcomes)];
      await store.record(envelope.id, { state, reports: written });
      entry.message = { envelope, state };
      log.outcomes(envelope, outcomes);
      return written.length > 0 ? 0 : undefined;
    } catch (error) {
      for (const [index, outcome] of outcomes) entry.outcomes.set(index, outcome);
      log.error({ id: envelope.id, err: error }, 'a delivery cannot be recorded yet');
      return undefined;
    }
  }

  /** Writes down that a text is on its way to recipients, so that after a crash the host can be asked to go on with it (RFC 1845 §3). */
  async recordBegun(entry: InHand, begun: readonly Recipient[], outcome: Outcome): Promise<void> {
    const { envelope, state } = entry.message;
    const { name } = outcome.unfinished ?? {};
    const isNews = (each: RecipientState | undefined) =>
      each?.kind === 'pending' && each.last?.unfinished?.name !== name;
    const news = new Set(
      begun.map((one) => envelope.recipients.indexOf(one)).filter((at) => isNews(state.recipients[at])),
    );
    if (news.size === 0 || entry.open === 0) return;
    const recipients = state.recipients.map((each, at) => (news.has(at) ? { ...each, last: outcome } : each));
    try {
      await this.#parts.store.record(envelope.id, { state: { ...state, recipients }, reports: [] });
      entry.message = { envelope, state: { ...state, recipients } };
    } catch (error) {
      this.#parts.log.error({ id: envelope.id, err: error }, 'it cannot be recorded that a text is on its way');
    }
  }

  /** Writes down what the whole attempt came to. When all `stopped`, what was not reached goes back as it was. */
  async settle(entry: InHand, { stopped, ...others }: Ending): Promise<number | undefined> {
    const { store, policy, now, chance, log, reports } = this.#parts;
    const { message, content, outcomes } = entry;
    const { envelope } = message;
    const crowded = entry.crowded && !stopped;
    const time = now();
    try {
      const isPending = message.state.recipients.some(({ kind }) => kind === 'pending');
      if (outcomes.size === 0 && isPending && !isOverdue(message, time)) {
        // Nothing was tried, or all that was tried is recorded.
        return await this.giveBack(message, crowded ? time + crowdedWait * (0.5 + chance()) : ownDueTime(message));
      }
      const untried = others.untried ?? (crowded ? time + crowdedWait : time);
      const settled = settle({ message, outcomes, policy, now: time, chance, untried });
      const { state } = settled;
      const told = settled.notices.length === 0 ? [] : await reports.compose({ envelope, content, ...settled });
      const written = [...told, ...causesOf(outcomes)];
      await store.settle(envelope.id, { state, reports: written, ...trackedEnd(envelope, settled) });
      log.outcomes(envelope, decided(entry, settled));
      return written.length > 0 ? 0 : state === 'done' ? undefined : state.due;
    } catch (error) {
      // The store still has the message as it was before the attempt: it is tried again, which may double it, never lose it.
      log.error({ id: envelope.id, err: error }, 'the outcome cannot be recorded');
      await discardCauses(outcomes).catch(() => undefined);
      return this.giveBack(message, now() + troubleWait).catch(() => undefined);
    }
  }
}

/** What was tried, and what is over without a try or in spite of it, because its time is. */
function decided({ message, outcomes }: InHand, settled: Settled): ReadonlyMap<number, Outcome> {
  const all = new Map(outcomes);
  for (const [index, { kind, last }] of settled.recipients.entries()) {
    const wasPending = message.state.recipients[index]?.kind === 'pending';
    if (wasPending && kind !== 'pending' && last !== undefined) all.set(index, last);
  }
  return all;
}
