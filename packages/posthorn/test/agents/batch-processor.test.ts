import { describe, expect, it } from 'vitest';
import { createBatchProcessor } from '../../src/agents/batch-processor.ts';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { freshState } from '../../src/queue/settle.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';

const batch = [
  'Content-Type: application/batch-SMTP',
  '',
  'EHLO bridge.example.org',
  ...['one', 'two', 'three'].flatMap((name) => [
    `MAIL FROM:<${name}@example.org>`,
    'RCPT TO:<bob@example.net>',
    'DATA',
    `Subject: ${name}`,
    '',
    'x'.repeat(900),
    '.',
  ]),
  'QUIT',
];

/** Queues the batch and claims it, as the scheduler does. */
async function claimed(store: QueueStore, lines: readonly string[]) {
  const draft = store.draft();
  draft.write(Buffer.from(lines.map((line) => `${line}\r\n`).join('')));
  const recipients = [{ address: 'batch-in@hub.example.net' }];
  const envelope = {
    id: draft.id,
    reversePath: 'batch@bridge.example.org',
    recipients,
    receivedAt: 0,
    size: draft.size,
    body: '7BIT',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1' },
  } as const;
  const content = await draft.commit(envelope);
  return { envelope, content, state: freshState(recipients, 0) };
}

function deliver(
  store: QueueStore,
  message: Awaited<ReturnType<typeof claimed>>,
  signal = new AbortController().signal,
) {
  const agent = createBatchProcessor({
    hostname: 'hub.example.net',
    now: () => 0,
    newId: () => store.newId(),
    draft: () => store.draft(),
    find: () => ({ postmaster: 'postmaster@hub.example.net', mayFeed: () => true }),
    expand: ({ recipients }) =>
      recipients.map(({ mailbox }) => ({ address: `${mailbox.localPart}@${mailbox.domain}` })),
    limits: { messageSize: 100_000, recipients: 100, messages: 100 },
  });
  const nextHop = { kind: 'batch', key: 'batch' } as const;
  return agent.deliver({ ...message, recipients: message.envelope.recipients, nextHop, signal });
}

async function subjects(store: QueueStore): Promise<string[]> {
  const senders: string[] = [];
  for await (const { envelope } of store.list()) senders.push(envelope.reversePath);
  return senders.sort();
}

describe('the processor of batches', () => {
  it('EXT-BSMTP-4 stores all messages with the end of the batch: a stop before leaves the batch alone, a stop behind none of it', async () => {
    await using store = createMemoryStore({ now: () => 0 });
    const message = await claimed(store, batch);
    const [outcome] = await deliver(store, message);
    expect(outcome).toMatchObject({ kind: 'delivered', text: '3 messages taken out' });
    expect(await subjects(store)).toEqual(['batch@bridge.example.org']);
    await store.settle(message.envelope.id, { state: 'done', reports: outcome?.causes ?? [] });
    expect(await subjects(store)).toEqual(['one@example.org', 'three@example.org', 'two@example.org']);
  });

  it('EXT-BSMTP-4 begins anew when it was broken off, with nothing done', async () => {
    await using store = createMemoryStore({ now: () => 0 });
    const controller = new AbortController();
    controller.abort();
    const message = await claimed(store, batch);
    expect(await deliver(store, message, controller.signal)).toMatchObject([{ kind: 'deferred', status: '4.3.2' }]);
    expect(await subjects(store)).toEqual(['batch@bridge.example.org']);
    expect(await deliver(store, message)).toMatchObject([{ kind: 'delivered', causes: [{}, {}, {}] }]);
  });

  it('EXT-BSMTP-3 drops a text that has no recipient, and takes text of eight bits whatever was said of it', async () => {
    await using store = createMemoryStore({ now: () => 0 });
    const lines = batch.slice(0, 3);
    const alone = ['MAIL FROM:<a@x.test>', 'DATA', 'nobody', '.'];
    const eight = ['MAIL FROM:<a@x.test>', 'RCPT TO:<b@x.test>', 'DATA', 'grüße', '.'];
    const [outcome] = await deliver(store, await claimed(store, [...lines, ...alone, ...eight]));
    expect(outcome?.causes).toMatchObject([{ envelope: { body: '8BITMIME', recipients: [{ address: 'b@x.test' }] } }]);
  });
});
