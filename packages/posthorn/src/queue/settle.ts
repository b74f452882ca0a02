import { isOverdue, overdueOutcome } from './deliver-by.ts';
import type { Recipient } from './envelope.ts';
import { withDueTimes } from './next-due.ts';
import type { Outcome } from './outcome.ts';
import type { MessageState, QueuedMessage, RecipientState } from './queue-store.ts';
import { expiryOf, type RetryPolicy, startOf } from './retry-policy.ts';

/** Recipients of one message whose sender is to be told the same thing (RFC 3464 §2.3.3). */
export interface Notice {
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  readonly recipients: readonly { readonly recipient: Recipient; readonly outcome: Outcome }[];
}

/** What an attempt comes to. */
export interface Settled {
  readonly state: MessageState | 'done';
  readonly notices: readonly Notice[];
  /** What the recipients came to, as far as anything is decided. */
  readonly recipients: readonly RecipientState[];
}

/** What `settle` decides from. */
export interface Attempt {
  readonly message: QueuedMessage;
  /** By index of the recipient; those that were not tried have none. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly policy: RetryPolicy;
  readonly now: number;
  /** 0 up to 1. */
  readonly chance: () => number;
  /** When the recipients are due again that have no outcome and wait for nothing else; by default with the others. */
  readonly untried?: number;
  /** Whether others are still under way: of those nothing is decided, and nothing told. */
  readonly partial?: true;
}

/** The state of a message of which nothing was tried yet. */
export function freshState(recipients: readonly Recipient[], due: number): MessageState {
  return { due, held: false, recipients: recipients.map(() => ({ kind: 'pending', attempts: 0 })) };
}

function expire(outcome: Outcome): Outcome {
  const reason = 'The time in the queue is over';
  // The class stays that of the last failure, as RFC 3464 §2.3.4 has it: the host never said no for good.
  return { ...outcome, kind: 'failed', text: outcome.text === undefined ? reason : `${reason}: ${outcome.text}` };
}

function advance(present: RecipientState, outcome: Outcome | undefined, expired: boolean): RecipientState {
  if (present.kind !== 'pending' || outcome === undefined) return present;
  const { causes: _, ...told } = outcome;
  const last = told.kind === 'deferred' && expired ? expire(told) : told;
  return { kind: last.kind === 'deferred' ? 'pending' : last.kind, attempts: present.attempts + 1, last };
}

/** Whether a recipient's sender is to be told of it (RFC 3461 §5.2, RFC 2852 §4.1.4). */
function isWanted(recipient: Recipient, action: Notice['action'], { traced }: Outcome): boolean {
  if (action === 'relayed' && traced === true) return recipient.notify?.length !== 0;
  if (action === 'failed') return recipient.notify?.includes('FAILURE') ?? true;
  if (action === 'delayed') return recipient.notify?.includes('DELAY') ?? true;
  return recipient.notify?.includes('SUCCESS') ?? false;
}

function successAction(outcome: Outcome): Notice['action'] | undefined {
  if (outcome.handover === 'final') return 'delivered';
  return outcome.handover === 'without-dsn' || outcome.traced === true ? 'relayed' : undefined;
}

interface Told {
  readonly action: Notice['action'];
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}

function told(attempt: Attempt, states: readonly RecipientState[], late: 'warn' | 'overdue' | undefined): Told[] {
  const { envelope, state } = attempt.message;
  // Nothing is ever reported about mail with the null reverse-path: that is how two hosts would loop (RFC 5321 §6.1).
  if (envelope.reversePath === '') return [];
  const list: Told[] = [];
  for (const [index, { kind, last }] of states.entries()) {
    const recipient = envelope.recipients[index];
    const isOver = kind === 'pending' && late === 'overdue';
    const outcome = isOver ? overdueOutcome('deferred', last, attempt.now) : last;
    if (recipient === undefined || outcome === undefined || state.recipients[index]?.kind !== 'pending') continue;
    const action =
      kind === 'failed' ? 'failed' : kind === 'delivered' ? successAction(outcome) : late && ('delayed' as const);
    if (action !== undefined && isWanted(recipient, action, outcome)) list.push({ action, recipient, outcome });
  }
  return list;
}

function groupByAction(list: readonly Told[]): Notice[] {
  const groups = new Map<Notice['action'], { recipient: Recipient; outcome: Outcome }[]>();
  for (const { action, recipient, outcome } of list) {
    const group = groups.get(action);
    if (group === undefined) groups.set(action, [{ recipient, outcome }]);
    else group.push({ recipient, outcome });
  }
  return Array.from(groups, ([action, recipients]) => ({ action, recipients }));
}

/** In mode R, whose time is over is not tried again (RFC 2852 §4.1.3). */
function giveBack(present: RecipientState, now: number): RecipientState {
  if (present.kind !== 'pending') return present;
  return { kind: 'failed', attempts: present.attempts, last: overdueOutcome('failed', present.last, now) };
}

function isLate({ message, policy, now, partial }: Attempt): boolean {
  if (partial === true) return false;
  return message.state.delayReportedAt === undefined && now - startOf(message.envelope) >= policy.delayWarningAfter;
}

/** Says what an attempt comes to: done, or when to try again; and what its sender is told (RFC 5321 §4.5.4.1, RFC 3461 §5.2). */
export function settle(attempt: Attempt): Settled {
  const { message, outcomes, policy, now } = attempt;
  const { envelope, state: present } = message;
  const expired = now >= expiryOf(policy, envelope);
  const overdue = attempt.partial !== true && isOverdue(message, now) ? envelope.deliverBy?.mode : undefined;
  const advanced = present.recipients.map((each, index) => advance(each, outcomes.get(index), expired));
  const states = overdue === 'R' ? advanced.map((each) => giveBack(each, now)) : advanced;
  const late = overdue === 'N' ? 'overdue' : isLate(attempt) ? 'warn' : undefined;
  const notices = groupByAction(told(attempt, states, late));
  if (!states.some(({ kind }) => kind === 'pending')) return { state: 'done', notices, recipients: states };
  const delayReportedAt = late === undefined ? present.delayReportedAt : now;
  const overdueReportedAt = overdue === undefined ? present.overdueReportedAt : now;
  const state = {
    ...withDueTimes(attempt, states),
    held: present.held,
    ...(delayReportedAt === undefined ? {} : { delayReportedAt }),
    ...(overdueReportedAt === undefined ? {} : { overdueReportedAt }),
  };
  return { state, notices, recipients: states };
}
