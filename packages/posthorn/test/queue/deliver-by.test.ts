import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/queue/envelope.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { MessageState, QueuedMessage } from '../../src/queue/queue-store.ts';
import { defaultRetryPolicy, expiryOf } from '../../src/queue/retry-policy.ts';
import { type Attempt, freshState, settle } from '../../src/queue/settle.ts';

const minute = 60_000;
const deferred: Outcome = { kind: 'deferred', status: '4.2.1', at: 1, reply: { code: 450, lines: ['later'] } };
const delivered: Outcome = { kind: 'delivered', status: '2.1.5', at: 1, handover: 'with-dsn' };

function messageOf(more: Partial<Envelope>, addresses = ['a@x.example']): QueuedMessage {
  const recipients = more.recipients ?? addresses.map((address) => ({ address }));
  const envelope: Envelope = {
    id: 'A1',
    reversePath: 'ann@example.org',
    recipients,
    receivedAt: 0,
    size: 10,
    body: '7BIT',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1' },
    ...more,
  };
  return { envelope, state: freshState(recipients, 0) };
}

function after(message: QueuedMessage, outcomes: readonly (Outcome | undefined)[], more: Partial<Attempt> = {}) {
  const map = new Map<number, Outcome>();
  for (const [index, outcome] of outcomes.entries()) if (outcome !== undefined) map.set(index, outcome);
  return settle({ message, outcomes: map, policy: defaultRetryPolicy, now: 1, chance: () => 0.5, ...more });
}

function stateOf(settled: { readonly state: MessageState | 'done' }): MessageState {
  if (settled.state === 'done') throw new Error('done');
  return settled.state;
}

describe('the time to deliver in', () => {
  it('EXT-DBY-3 makes a message due when it is over, though its next attempt is later', () => {
    const message = messageOf({ deliverBy: { until: 2 * minute, mode: 'N' } });
    const state = stateOf(after(message, [deferred]));
    expect(state.due).toBe(2 * minute);
    expect(state.recipients[0]?.due).toBe(1 + 30 * minute);
    const told = after({ ...message, state }, [], { now: 2 * minute, untried: 2 * minute });
    expect(told.notices).toMatchObject([{ action: 'delayed', recipients: [{ outcome: { status: '4.4.7' } }] }]);
    expect(told.notices[0]?.recipients[0]?.outcome.text).toContain('450 later');
    const next = stateOf(told);
    expect(next).toMatchObject({ due: 1 + 30 * minute, overdueReportedAt: 2 * minute });
    expect(next.recipients[0]).toEqual({ kind: 'pending', attempts: 1, last: deferred });
    const later = after({ ...message, state: next }, [deferred], { now: 31 * minute });
    expect(later.notices).toEqual([]);
  });

  it('EXT-DBY-3 tells of mode N whom it concerns: who gave no NOTIFY, or DELAY', () => {
    const recipients = [
      { address: 'none@x.example' },
      { address: 'delay@x.example', notify: ['DELAY'] },
      { address: 'failure@x.example', notify: ['FAILURE'] },
      { address: 'never@x.example', notify: [] },
    ] as const;
    const message = messageOf({ recipients, deliverBy: { until: 5, mode: 'N' } });
    const settled = after(message, [deferred, deferred, deferred, deferred], { now: 6 });
    expect(settled.notices.map(({ recipients: told }) => told.map(({ recipient }) => recipient.address))).toEqual([
      ['none@x.example', 'delay@x.example'],
    ]);
  });

  it('EXT-DBY-3 fails mode R when it is over, with what was said last, tried or not', () => {
    const message = messageOf({ deliverBy: { until: 5, mode: 'R' } }, ['a@x.example', 'b@x.example']);
    const settled = after(message, [deferred], { now: 5 });
    expect(settled.state).toBe('done');
    expect(settled.notices).toMatchObject([
      { action: 'failed', recipients: [{ outcome: { status: '5.4.7' } }, { outcome: { status: '5.4.7' } }] },
    ]);
  });

  it('EXT-DBY-2 never lengthens the life in the queue', () => {
    const message = messageOf({ deliverBy: { until: 99 * 24 * 60 * minute, mode: 'N' } });
    const settled = after(message, [deferred], { now: expiryOf(defaultRetryPolicy, message.envelope) });
    expect(settled.state).toBe('done');
    expect(settled.notices).toMatchObject([{ action: 'failed' }]);
  });

  it('EXT-DBY-6 tells that a message went on, to all but NEVER', () => {
    const recipients = [
      { address: 'none@x.example' },
      { address: 'failure@x.example', notify: ['FAILURE'] },
      { address: 'never@x.example', notify: [] },
    ] as const;
    const traced = { ...delivered, traced: true } as const;
    const settled = after(messageOf({ recipients }), [traced, traced, traced]);
    expect(settled.notices).toMatchObject([{ action: 'relayed', recipients: [{}, {}] }]);
    expect(after(messageOf({ recipients }), [delivered, delivered, delivered]).notices).toEqual([]);
  });

  it('says nothing of those who are still under way', () => {
    const message = messageOf({ deliverBy: { until: 5, mode: 'R' } }, ['a@x.example', 'b@x.example']);
    const settled = after(message, [delivered], { now: 6, partial: true });
    expect(settled.notices).toEqual([]);
    expect(stateOf(settled).recipients.map(({ kind }) => kind)).toEqual(['delivered', 'pending']);
  });
});

describe('due times', () => {
  it('keeps those whom there was no room for apart from those who were deferred', () => {
    const message = messageOf({}, ['crowded@x.example', 'deferred@y.example']);
    const state = stateOf(after(message, [undefined, deferred], { untried: 5001 }));
    expect(state.due).toBe(5001);
    expect(state.recipients.map(({ due }) => due)).toEqual([undefined, 1 + 30 * minute]);
    const next = stateOf(after({ ...message, state }, [deferred], { now: 5001, untried: 5001 }));
    expect(next.due).toBe(1 + 30 * minute);
    expect(next.recipients.map(({ due, attempts }) => [due, attempts])).toEqual([
      [5001 + 30 * minute, 1],
      [undefined, 1],
    ]);
  });

  it('EXT-FUT-2 counts the life and the warnings of a held message from its release', () => {
    const message = messageOf({ heldUntil: 100 * minute });
    expect(expiryOf(defaultRetryPolicy, message.envelope)).toBe(100 * minute + defaultRetryPolicy.lifetime);
    const { delayWarningAfter } = defaultRetryPolicy;
    expect(after(message, [deferred], { now: 100 * minute + delayWarningAfter - 1 }).notices).toEqual([]);
    expect(after(message, [deferred], { now: 100 * minute + delayWarningAfter }).notices).toHaveLength(1);
  });
});
