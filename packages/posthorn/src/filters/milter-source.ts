import { Failure } from '@posthorn/smtp/failure/failure';
import { formatTarget } from '@posthorn/smtp/net/connect';
import type { FilterRules } from './filter-rules.ts';
import { formatMilterCommand } from './milter-command.ts';
import { MilterConnection } from './milter-connection.ts';
import { areTermsGood, type MilterTerms, milterVersion, offeredActions, offeredSteps } from './milter-terms.ts';

/** A connection to a filter whose terms are agreed on. */
export interface NegotiatedConnection {
  readonly connection: MilterConnection;
  readonly terms: MilterTerms;
}

/** Since this version a connection may serve one session behind the other. */
const reusableSince = 6;
const mostIdle = 10;
/** Milliseconds. */
const idleTime = 5_000;

/** Makes connections to one filter, one for each session; a few that are idle wait for the next. */
export class MilterSource {
  readonly rules: FilterRules;
  /** Is told that the filter cannot be used. */
  readonly failed: (failure: Failure) => void;
  readonly #idle = new Map<NegotiatedConnection, NodeJS.Timeout>();
  #isClosed = false;

  constructor(rules: FilterRules, failed: (failure: Failure) => void) {
    this.rules = rules;
    this.failed = failed;
  }

  /** A connection whose last session is over, if there is one. */
  takeIdle(): NegotiatedConnection | undefined {
    for (const [held, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(held);
      if (!held.connection.isLost) return held;
    }
    return undefined;
  }

  /** A new connection. Rejects with Failure. */
  async open(): Promise<NegotiatedConnection> {
    const connection = await MilterConnection.open(this.rules);
    try {
      const offer = { version: milterVersion, actions: offeredActions, steps: offeredSteps };
      connection.send(formatMilterCommand({ kind: 'negotiate', ...offer }));
      const said = await connection.receive(this.rules.times.reply);
      if (said.kind !== 'terms' || !areTermsGood(said.terms)) {
        throw new Failure('protocol', `the filter at ${formatTarget(this.rules.target)} wants what is not offered`);
      }
      return { connection, terms: said.terms };
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Takes a connection back whose session is over. */
  giveBack(held: NegotiatedConnection): void {
    const { connection, terms } = held;
    if (this.#isClosed || terms.version < reusableSince || this.#idle.size >= mostIdle) {
      connection.end(formatMilterCommand({ kind: 'quit' }));
      return;
    }
    connection.send(formatMilterCommand({ kind: 'quit-next' }));
    connection.flush().catch(() => connection.destroy());
    const timer = setTimeout(() => {
      this.#idle.delete(held);
      connection.end(formatMilterCommand({ kind: 'quit' }));
    }, idleTime).unref();
    this.#idle.set(held, timer);
  }

  close(): void {
    this.#isClosed = true;
    for (const [{ connection }, timer] of this.#idle) {
      clearTimeout(timer);
      connection.end(formatMilterCommand({ kind: 'quit' }));
    }
    this.#idle.clear();
  }
}
