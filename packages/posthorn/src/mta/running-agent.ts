import type { ListeningAddress, Role } from '@posthorn/smtp/server';
import type { Terminals } from '../agents/terminals.ts';
import type { Config } from '../config/schema.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { FetchRequest, FetchResult } from './fetch-mail.ts';
import type { FetchTally } from './fetch-tally.ts';
import type { Judge } from './judge.ts';
import type { LogSink } from './log.ts';

/** Where one listener of a running agent is. */
export type RunningListener = ListeningAddress & { readonly role: Role | 'mtqp' | 'none' };

/** What an agent is made of. */
export interface AgentOptions {
  readonly config: Config;
  readonly log: LogSink;
  /** A UNIX socket where users of this host hand mail in; open to its group and others if the configuration names one. */
  readonly submissionSocket?: string;
  /** Judges messages before they are accepted, beside the marks of the configuration (RFC 5321 §6.2). */
  readonly judge?: Judge;
  /** The clock, in milliseconds since the epoch; by default the system's. */
  readonly now?: () => number;
}

/** An agent that runs. */
export interface RunningAgent extends AsyncDisposable {
  readonly listeners: readonly RunningListener[];
  readonly store: QueueStore;
  /** Messages in hand now; the others wait in the store. */
  readonly inHand: () => number;
  /** Connections now. */
  readonly sessions: () => number;
  /** Where mail for terminals is shown, if it is. */
  readonly terminals?: Terminals;
  /** Looks at the store at once, as something there was changed by hand, and tries hosts again that were not reached. */
  wake(): void;
  /** Fetches mail from another host into the queue. Rejects with Failure `limit` when too much is fetched already. */
  fetch(request: FetchRequest, onTurn?: (tally: FetchTally) => void): Promise<FetchResult>;
  /**
   * Takes over domains, users, routes, networks and certificates; sessions go on. Throws Failure, and changes nothing then.
   * What it names in the answer needs a restart.
   */
  reload(config: Config): { readonly needsRestart: readonly string[] };
  /** Ends: running transactions and attempts have `grace` milliseconds, 10 seconds by default. */
  close(options?: { readonly grace?: number }): Promise<void>;
}
