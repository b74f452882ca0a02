import type { TrackingQuery } from '../mtqp/mtqp-command.ts';
import type { MtqpOptions } from '../mtqp/mtqp-options.ts';
import type { MtqpReply } from '../mtqp/mtqp-reply.ts';
import type { TrackingReport } from '../report/tracking-report.ts';

/** What a server says of a message; `refused`: nothing, for the reason that the reply has (RFC 3887 §4). */
export type TrackAnswer =
  | { readonly kind: 'found'; readonly reports: readonly TrackingReport[] }
  | { readonly kind: 'refused'; readonly reply: MtqpReply };

/** One session with one tracking server. */
export interface Tracker extends AsyncDisposable {
  /** What the server offers; inside TLS what it offered there. */
  readonly options: MtqpOptions;
  readonly privacy: 'clear' | 'encrypted' | 'verified';
  /** Asks where a message is; queries made at once leave together. Rejects with Failure when no answer comes. */
  track(query: TrackingQuery): Promise<TrackAnswer>;
  /** Says QUIT behind what was asked (RFC 3887 §7). */
  close(): Promise<void>;
}
