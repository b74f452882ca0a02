import type { Outcome } from '../queue/outcome.ts';
import type { NewMessage } from '../queue/queue-store.ts';

/** The messages that outcomes cause, to be stored with what they settle. */
export function causesOf(outcomes: ReadonlyMap<number, Outcome>): NewMessage[] {
  return [...outcomes.values()].flatMap(({ causes = [] }) => causes);
}

/** Forgets messages that could not be stored: the attempt that is made instead writes them anew. */
export async function discardCauses(outcomes: ReadonlyMap<number, Outcome>): Promise<void> {
  for (const { content } of causesOf(outcomes)) if (!Buffer.isBuffer(content)) await content.discard();
}
