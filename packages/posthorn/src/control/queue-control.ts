import type { QueuedMessage, QueueQuery } from '../queue/queue-store.ts';

/** What an operator can do with a queued message. */
export const queueActions = ['retry', 'hold', 'release', 'bounce', 'delete'] as const;

/**
 * `retry`: try at once, held or not; `hold`: try no more until it is released; `release`: go on as planned; `bounce`: give
 * it back to its sender; `delete`: forget it, and tell nobody.
 */
export type QueueAction = (typeof queueActions)[number];

/** `busy`: an attempt is under way; it has to end first. `early`: the sender asked for a later release (RFC 4865 §4.2). */
export type ActionResult = 'done' | 'absent' | 'busy' | 'early';

/** The queue as an operator sees it, of this process or of another one. */
export interface QueueControl {
  list(query?: QueueQuery): AsyncIterable<QueuedMessage>;
  get(id: string): Promise<QueuedMessage | undefined>;
  act(id: string, action: QueueAction): Promise<ActionResult>;
}
