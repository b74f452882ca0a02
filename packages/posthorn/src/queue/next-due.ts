import { nextDeadline } from './deliver-by.ts';
import type { MessageState, QueuedMessage, RecipientState } from './queue-store.ts';
import { expiryOf, nextWait } from './retry-policy.ts';
import type { Attempt } from './settle.ts';

/**
 * When a message is due again, and which of its recipients not before some later time: those that were deferred wait
 * behind their attempt, those that were not reached only until there is room for them, and the time to deliver in is a
 * reason to look at the message, but none to try (RFC 5321 §4.5.4.1).
 */
export function withDueTimes(
  attempt: Attempt,
  states: readonly RecipientState[],
): Pick<MessageState, 'due' | 'recipients'> {
  const { message, outcomes, now } = attempt;
  const retry = retryTime(attempt, states);
  const dueOf = (state: RecipientState, index: number): number => {
    if (outcomes.has(index)) return retry;
    return state.due !== undefined && state.due > now ? state.due : (attempt.untried ?? retry);
  };
  const times = states.map((state, index) =>
    state.kind === 'pending' ? dueOf(state, index) : Number.POSITIVE_INFINITY,
  );
  const due = nextDeadline(message, now, Math.min(...times));
  return { due, recipients: states.map((state, index) => withDue(state, times[index] as number, due)) };
}

function withDue(state: RecipientState, time: number, due: number): RecipientState {
  if (state.kind === 'pending' && time > due) return { ...state, due: time };
  if (state.due === undefined) return state;
  const { due: _, ...rest } = state;
  return rest;
}

function retryTime({ message, outcomes, policy, now, chance }: Attempt, states: readonly RecipientState[]): number {
  let attempts = 1;
  for (const [index, state] of states.entries()) {
    if (state.kind === 'pending' && outcomes.has(index)) attempts = Math.max(attempts, state.attempts);
  }
  const expiry = expiryOf(policy, message.envelope);
  return Math.min(now + nextWait(policy, attempts, chance), Math.max(expiry, now + 1000));
}

/** When the first of the recipients is due that wait for a time of their own; undefined when one waits for none. */
export function ownDueTime({ state }: QueuedMessage): number | undefined {
  let due = Number.POSITIVE_INFINITY;
  for (const each of state.recipients) if (each.kind === 'pending') due = Math.min(due, each.due ?? 0);
  return due > 0 && due < Number.POSITIVE_INFINITY ? due : undefined;
}
