import { isDeepStrictEqual } from 'node:util';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Reported } from '../mta/report-writer.ts';
import type { Outcome } from '../queue/outcome.ts';
import type {
  MessageState,
  NewMessage,
  QueuedMessage,
  QueueStore,
  RecipientState,
  Settlement,
} from '../queue/queue-store.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import { settle } from '../queue/settle.ts';
import { trackedEnd } from '../queue/tracked-end.ts';
import type { ActionResult, QueueAction, QueueControl } from './queue-control.ts';

/** What acting on a store takes. */
export interface StoreControlParts {
  readonly store: Pick<QueueStore, 'list' | 'get' | 'content' | 'change'>;
  /** Writes the reports that a bounce causes. */
  readonly composeReports: (reported: Reported) => Promise<NewMessage[]>;
  readonly policy: RetryPolicy;
  readonly now: () => number;
  /** Is told that something in the store was changed. */
  readonly wake: () => void;
}

/** How often a bounce is written anew because the message changed meanwhile. */
const mostTries = 3;

/** Controls the queue of a store that this process has open. */
export function controlStore(parts: StoreControlParts): QueueControl {
  const { store } = parts;
  return {
    list: (query) => store.list(query),
    get: (id) => store.get(id),
    async act(id, action) {
      if (action === 'retry' && (await isEarly(parts, id))) return 'early';
      const result =
        action === 'bounce' ? await bounce(parts, id) : await change(parts, id, changes(parts.now)[action]);
      if (result === 'done') parts.wake();
      return result;
    },
  };
}

type Change = (message: QueuedMessage) => Settlement;

function changes(now: () => number): Record<Exclude<QueueAction, 'bounce'>, Change> {
  const next = (state: MessageState | 'done'): Settlement => ({ state, reports: [] });
  return {
    retry: ({ state }) => next({ ...state, held: false, due: now(), recipients: state.recipients.map(dueAtOnce) }),
    hold: ({ state }) => next({ ...state, held: true }),
    release: ({ state }) => next({ ...state, held: false }),
    delete: () => next('done'),
  };
}

/** Whether no retry may send it yet, as its sender asked for a later release. */
async function isEarly({ store, now }: StoreControlParts, id: string): Promise<boolean> {
  const message = await store.get(id);
  return (message?.envelope.heldUntil ?? 0) > now();
}

/** Without a time of its own it is due with its message. */
function dueAtOnce({ due: _, ...state }: RecipientState): RecipientState {
  return state;
}

async function change({ store }: StoreControlParts, id: string, make: Change): Promise<ActionResult> {
  if (await store.change(id, make)) return 'done';
  return (await store.get(id)) === undefined ? 'absent' : 'busy';
}

/** The reports are written first: what they tell has to be what is true when they are committed. */
async function bounce(parts: StoreControlParts, id: string): Promise<ActionResult> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const message = await parts.store.get(id);
    if (message === undefined) return 'absent';
    const settlement = await composeBounce(parts, message);
    if (settlement === undefined) return 'absent';
    let unchanged = false;
    const result = await change(parts, id, (present) => {
      unchanged = isDeepStrictEqual(present.state, message.state);
      return unchanged ? settlement : { state: present.state, reports: [] };
    });
    if (result !== 'done' || unchanged) return result;
  }
  return 'busy';
}

async function composeBounce(parts: StoreControlParts, message: QueuedMessage): Promise<Settlement | undefined> {
  const { store, policy, now, composeReports } = parts;
  const { envelope, state } = message;
  const outcome: Outcome = {
    kind: 'failed',
    status: '5.0.0',
    at: now(),
    text: 'Given back by the postmaster of this host',
  };
  const pending = state.recipients.flatMap(({ kind }, index) =>
    kind === 'pending' ? [[index, outcome] as const] : [],
  );
  const settled = settle({ message, outcomes: new Map(pending), policy, now: now(), chance: () => 0 });
  try {
    const content = await store.content(envelope.id);
    const reports = await composeReports({ envelope, content, ...settled });
    return { state: settled.state, reports, ...trackedEnd(envelope, settled) };
  } catch (error) {
    // It left the queue while it was looked at.
    if (error instanceof Failure && error.kind === 'storage' && (await store.get(envelope.id)) === undefined)
      return undefined;
    throw error;
  }
}
