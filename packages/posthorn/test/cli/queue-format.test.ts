import { describe, expect, it } from 'vitest';
import { formatList, formatMessage } from '../../src/cli/queue-format.ts';
import type { Envelope } from '../../src/queue/envelope.ts';
import type { QueuedMessage } from '../../src/queue/queue-store.ts';
import { freshState } from '../../src/queue/settle.ts';

const now = Date.UTC(2026, 10, 21, 10);

function messageOf(more: Partial<Envelope>): QueuedMessage {
  const recipients = [{ address: 'top@example.com' }];
  const envelope: Envelope = {
    id: 'A1',
    reversePath: 'ann@example.org',
    recipients,
    receivedAt: now,
    size: 10,
    body: '7BIT',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1' },
    ...more,
  };
  return { envelope, state: freshState(recipients, now) };
}

async function* only(message: QueuedMessage): AsyncGenerator<QueuedMessage> {
  yield message;
}

describe('the queue for people', () => {
  it('EXT-FUT-2 shows of a held message when it is released', async () => {
    const message = messageOf({ heldUntil: now + 3 * 3_600_000 });
    let list = '';
    for await (const piece of formatList(only(message), now)) list += piece;
    expect(list).toContain('released in 3h');
    expect(formatMessage(message, now)).toContain('\nRelease    2026-11-21T13:00:00.000Z\n');
    expect(formatMessage(message, now + 4 * 3_600_000)).toContain('\nState      due\n');
  });

  it('shows what else its sender asked for', () => {
    const shown = formatMessage(
      messageOf({
        deliverBy: { until: now + 120_000, mode: 'R' },
        priority: 4,
        solicit: ['org.example:ADV'],
        requireTls: true,
      }),
      now,
    );
    expect(shown).toContain('\nDeliver by 2026-11-21T10:02:00.000Z, then it goes back\n');
    expect(shown).toContain('\nPriority   4\n');
    expect(shown).toContain('\nSolicits   org.example:ADV\n');
    expect(shown).toContain('\nTLS        required of every host on its way\n');
    expect(formatMessage(messageOf({}), now)).not.toMatch(/\n(?:Release|Deliver|Priority|Solicits|TLS)/);
  });

  it('tells when a recipient is tried again that waits for longer than its message', () => {
    const message = messageOf({});
    const waiting = { kind: 'pending', attempts: 2, due: now + 1_800_000 } as const;
    const shown = formatMessage({ ...message, state: { ...message.state, recipients: [waiting] } }, now);
    expect(shown).toContain('\nTo         top@example.com: pending, 2 tries, next in 30m');
  });
});
