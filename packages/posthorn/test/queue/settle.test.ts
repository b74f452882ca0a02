import { describe, expect, it } from 'vitest';
import type { Envelope, Recipient } from '../../src/queue/envelope.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { QueuedMessage } from '../../src/queue/queue-store.ts';
import { defaultRetryPolicy } from '../../src/queue/retry-policy.ts';
import { freshState, type Settled, settle } from '../../src/queue/settle.ts';

const hour = 60 * 60_000;

function messageTo(recipients: readonly Recipient[], reversePath = 'ann@example.org'): QueuedMessage {
  const envelope: Envelope = {
    id: 'A1',
    reversePath,
    recipients,
    receivedAt: 0,
    size: 10,
    body: '7BIT',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1' },
  };
  return { envelope, state: freshState(recipients, 0) };
}

const delivered: Outcome = { kind: 'delivered', status: '2.1.5', at: 1, handover: 'final' };
const deferred: Outcome = { kind: 'deferred', status: '4.4.1', at: 1, text: 'no answer' };
const failed: Outcome = { kind: 'failed', status: '5.1.1', at: 1 };

function after(message: QueuedMessage, outcomes: readonly (Outcome | undefined)[], now = 1): Settled {
  const map = new Map([...outcomes.entries()].filter((entry): entry is [number, Outcome] => entry[1] !== undefined));
  return settle({ message, outcomes: map, policy: defaultRetryPolicy, now, chance: () => 0.5 });
}

function told(settled: Settled): string[] {
  return settled.notices.flatMap(({ action, recipients }) =>
    recipients.map(({ recipient }) => `${action} ${recipient.address}`),
  );
}

describe('settle', () => {
  it('CLI-RPL-1 keeps each recipient apart: done, retried and failed ones do not mix', () => {
    const message = messageTo([{ address: 'a@x.example' }, { address: 'b@x.example' }, { address: 'c@x.example' }]);
    const settled = after(message, [delivered, deferred, failed]);
    expect(settled.state).not.toBe('done');
    if (settled.state === 'done') return;
    expect(settled.state.recipients.map(({ kind }) => kind)).toEqual(['delivered', 'pending', 'failed']);
    expect(told(settled)).toEqual(['failed c@x.example']);
    expect(settled.state.due).toBe(1 + hour / 2);
  });

  it('tries a recipient that was decided no second time, whatever outcome is given for it', () => {
    const first = after(messageTo([{ address: 'a@x.example' }, { address: 'b@x.example' }]), [failed, deferred]);
    if (first.state === 'done') throw new Error('one recipient is pending');
    const message = messageTo([{ address: 'a@x.example' }, { address: 'b@x.example' }]);
    const second = after({ ...message, state: first.state }, [delivered, delivered], 2);
    expect(second.state).toBe('done');
    expect(told(second)).toEqual([]);
  });

  it('CLI-RTY-2 DSN-8 fails what is still deferred when its time is over, and keeps the status of the last failure', () => {
    const settled = after(messageTo([{ address: 'a@x.example' }]), [deferred], 5 * 24 * hour);
    expect(settled.state).toBe('done');
    const [notice] = settled.notices;
    expect(notice?.action).toBe('failed');
    expect(notice?.recipients[0]?.outcome).toMatchObject({ kind: 'failed', status: '4.4.1' });
  });

  it('CLI-RTY-2 makes the last attempt no later than when the time is over', () => {
    const settled = after(messageTo([{ address: 'a@x.example' }]), [deferred], 5 * 24 * hour - 60_000);
    expect(settled.state).toMatchObject({ due: 5 * 24 * hour });
  });

  it('DSN-2 CLI-RTY-4 tells nobody about mail with the null reverse-path', () => {
    expect(told(after(messageTo([{ address: 'a@x.example' }], ''), [failed]))).toEqual([]);
  });

  it('DSN-9 reports a failure without NOTIFY or with FAILURE, never with NEVER or a list without it', () => {
    const recipients: Recipient[] = [
      { address: 'none@x.example' },
      { address: 'failure@x.example', notify: ['FAILURE'] },
      { address: 'never@x.example', notify: [] },
      { address: 'success@x.example', notify: ['SUCCESS'] },
    ];
    expect(told(after(messageTo(recipients), [failed, failed, failed, failed]))).toEqual([
      'failed none@x.example',
      'failed failure@x.example',
    ]);
  });

  it('DSN-10 DSN-12 DSN-21 reports success only when asked: delivered here, relayed to a host without DSN', () => {
    const wants: Recipient['notify'] = ['SUCCESS'];
    const recipients: Recipient[] = [
      { address: 'here@x.example', notify: wants },
      { address: 'plain@x.example', notify: wants },
      { address: 'dsn@x.example', notify: wants },
      { address: 'silent@x.example' },
    ];
    const outcomes: Outcome[] = (['final', 'without-dsn', 'with-dsn', 'final'] as const).map((handover) => ({
      ...delivered,
      handover,
    }));
    expect(told(after(messageTo(recipients), outcomes))).toEqual([
      'delivered here@x.example',
      'relayed plain@x.example',
    ]);
  });

  it('DSN-11 warns of a delay once, after four hours, when DELAY is wanted or nothing was said', () => {
    const recipients: Recipient[] = [
      { address: 'none@x.example' },
      { address: 'delay@x.example', notify: ['DELAY'] },
      { address: 'failure@x.example', notify: ['FAILURE'] },
    ];
    const message = messageTo(recipients);
    const all = [deferred, deferred, deferred];
    expect(told(after(message, all, 4 * hour - 1))).toEqual([]);
    const warned = after(message, all, 4 * hour);
    expect(told(warned)).toEqual(['delayed none@x.example', 'delayed delay@x.example']);
    if (warned.state === 'done') throw new Error('nothing was decided');
    expect(told(after({ ...message, state: warned.state }, all, 9 * hour))).toEqual([]);
  });

  it('DSN-15 puts all failed recipients of a message into one notice', () => {
    const settled = after(messageTo([{ address: 'a@x.example' }, { address: 'b@x.example' }]), [failed, failed]);
    expect(settled.notices).toHaveLength(1);
    expect(settled.notices[0]?.recipients).toHaveLength(2);
  });
});
