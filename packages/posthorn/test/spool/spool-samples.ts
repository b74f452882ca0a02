import type { Envelope } from '../../src/queue/envelope.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { Content, MessageState, NewMessage, QueuedMessage, QueueStore } from '../../src/queue/queue-store.ts';

/** An envelope of one recipient, or as told. */
export function sampleEnvelope(id: string, size: number, more: Partial<Envelope> = {}): Envelope {
  return {
    id,
    reversePath: 'sender@a.example',
    recipients: [{ address: 'rcpt@b.example', notify: ['FAILURE'] }],
    receivedAt: 1_700_000_000_000,
    size,
    body: '8BITMIME',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1', helloName: 'client.example', protocol: 'ESMTP' },
    ...more,
  };
}

/** Text that differs at every place where two parts could be mixed up. */
export function sampleText(size: number, seed = 0): Buffer {
  const text = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) text[i] = (i * 31 + (i >> 8) * 7 + (i >> 16) + seed) & 0xff;
  return text;
}

/** A message of our own whose text is in hand. */
export type SampleMessage = NewMessage & { readonly content: Buffer };

export function sampleMessage(store: QueueStore, content: Buffer, more: Partial<Envelope> = {}): SampleMessage {
  return { envelope: sampleEnvelope(store.newId(), content.length, more), content };
}

/** Writes and commits a message; it stays leased to the caller. */
export async function commitMessage(store: QueueStore, text: Buffer, more: Partial<Envelope> = {}) {
  const draft = store.draft();
  const envelope = sampleEnvelope(draft.id, text.length, more);
  for (let start = 0; start < text.length; start += 60_000) await draft.write(text.subarray(start, start + 60_000));
  const content = await draft.commit(envelope);
  return { id: draft.id, envelope, content };
}

export function deferredState(due: number, more: Partial<MessageState> = {}): MessageState {
  const last: Outcome = { kind: 'deferred', status: '4.4.1', at: due - 1000, remoteHost: 'mx.b.example' };
  return { due, held: false, recipients: [{ kind: 'pending', attempts: 1, last }], ...more };
}

export async function readContent(content: Content): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content.stream()) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function listAll(list: AsyncIterable<QueuedMessage>): Promise<QueuedMessage[]> {
  const messages: QueuedMessage[] = [];
  for await (const message of list) messages.push(message);
  return messages;
}

export async function listIds(list: AsyncIterable<QueuedMessage>): Promise<string[]> {
  return (await listAll(list)).map(({ envelope }) => envelope.id);
}
