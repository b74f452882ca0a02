import type { Recipient } from './envelope.ts';
import type { Outcome } from './outcome.ts';
import type { MessageState, QueuedMessage, RecipientState } from './queue-store.ts';
import { expiryOf, nextWait, type RetryPolicy } from './retry-policy.ts';

/** Recipients of one message whose sender is to be told the same thing (RFC 3464 §2.3.3). */
export interface Notice {
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed';
  readonly recipients: readonly { readonly recipient: Recipient; readonly outcome: Outcome }[];
}

/** What an attempt comes to. */
export interface Settled {
  readonly state: MessageState | 'done';
  readonly notices: readonly Notice[];
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
  const last = outcome.kind === 'deferred' && expired ? expire(outcome) : outcome;
  return { kind: last.kind === 'deferred' ? 'pending' : last.kind, attempts: present.attempts + 1, last };
}

/** Whether a recipient's sender is to be told of it (RFC 3461 §5.2). */
function isWanted(recipient: Recipient, action: Notice['action']): boolean {
  if (action === 'failed') return recipient.notify?.includes('FAILURE') ?? true;
  if (action === 'delayed') return recipient.notify?.includes('DELAY') ?? true;
  return recipient.notify?.includes('SUCCESS') ?? false;
}

function successAction(outcome: Outcome): Notice['action'] | undefined {
  if (outcome.handover === 'final') return 'delivered';
  return outcome.handover === 'without-dsn' ? 'relayed' : undefined;
}

interface Told {
  readonly action: Notice['action'];
  readonly recipient: Recipient;
  readonly outcome: Outcome;
}

function told(attempt: Attempt, states: readonly RecipientState[], warn: boolean): Told[] {
  const { envelope, state } = attempt.message;
  // Nothing is ever reported about mail with the null reverse-path: that is how two hosts would loop (RFC 5321 §6.1).
  if (envelope.reversePath === '') return [];
  const list: Told[] = [];
  for (const [index, { kind, last: outcome }] of states.entries()) {
    const recipient = envelope.recipients[index];
    if (recipient === undefined || outcome === undefined || state.recipients[index]?.kind !== 'pending') continue;
    const action =
      kind === 'failed' ? 'failed' : kind === 'delivered' ? successAction(outcome) : warn ? 'delayed' : undefined;
    if (action !== undefined && isWanted(recipient, action)) list.push({ action, recipient, outcome });
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

/** Says what an attempt comes to: done, or when to try again; and what its sender is told (RFC 5321 §4.5.4.1, RFC 3461 §5.2). */
export function settle(attempt: Attempt): Settled {
  const { message, outcomes, policy, now, chance } = attempt;
  const expiry = expiryOf(policy, message.envelope);
  const states = message.state.recipients.map((present, index) => advance(present, outcomes.get(index), now >= expiry));
  const pending = states.filter(({ kind }) => kind === 'pending');
  const warn =
    pending.length > 0 &&
    message.state.delayReportedAt === undefined &&
    now - message.envelope.receivedAt >= policy.delayWarningAfter;
  const notices = groupByAction(told(attempt, states, warn));
  if (pending.length === 0) return { state: 'done', notices };
  const attempts = Math.max(...pending.map((state) => state.attempts));
  const due = Math.min(now + nextWait(policy, attempts, chance), Math.max(expiry, now + 1000));
  const delayReportedAt = warn ? now : message.state.delayReportedAt;
  const state = { due, held: message.state.held, recipients: states };
  return { state: delayReportedAt === undefined ? state : { ...state, delayReportedAt }, notices };
}
