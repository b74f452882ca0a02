/** How a running agent is doing. */
export interface ControlStatus {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Where it listens, in words: `mx 0.0.0.0:25`. */
  readonly listeners: readonly string[];
  /** Messages in the queue, those in hand included. */
  readonly messages: number;
  /** Messages of which an attempt is under way. */
  readonly inHand: number;
  readonly sessions: number;
}

/** What a reload came to: what was changed but needs a restart, or why it was refused. */
export type ReloadResult =
  | { readonly kind: 'reloaded'; readonly needsRestart: readonly string[] }
  | { readonly kind: 'refused'; readonly mistakes: readonly string[] };
