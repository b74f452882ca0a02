import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createControlClient } from '../../src/control/control-client.ts';
import { controlPath } from '../../src/control/control-path.ts';
import { type ControlServer, startControl } from '../../src/control/control-server.ts';
import type { ReloadResult } from '../../src/control/control-status.ts';
import { type QueueAction, type QueueControl, queueActions } from '../../src/control/queue-control.ts';
import { controlStore } from '../../src/control/store-control.ts';
import { ReportWriter } from '../../src/mta/report-writer.ts';
import type { QueuedMessage, QueueStore } from '../../src/queue/queue-store.ts';
import { defaultRetryPolicy } from '../../src/queue/retry-policy.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';

const now = () => 1_800_000_000_000;
const hour = 3_600_000;

let folder: string;
let store: QueueStore;
let server: ControlServer;
let woken: number;
let reloadResult: ReloadResult;
let path: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-control-'));
  path = controlPath(folder);
  store = createMemoryStore({ now });
  woken = 0;
  reloadResult = { kind: 'reloaded', needsRestart: ['hostname'] };
  const target = {
    queue: localControl(),
    status: () => ({
      pid: 1,
      startedAt: 2,
      listeners: ['mx 127.0.0.1:25'],
      messages: store.count(),
      inHand: 0,
      sessions: 3,
    }),
    reload: async () => reloadResult,
  };
  server = await startControl(path, target);
});

afterEach(async () => {
  await server.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function localControl(): QueueControl {
  const parts = { hostname: 'mx.example.org', postmaster: 'postmaster@example.org', policy: defaultRetryPolicy, now };
  const reports = new ReportWriter({
    expand: (addresses) => addresses.map((address) => ({ address })),
    ...parts,
    newId: () => store.newId(),
  });
  const wake = () => {
    woken += 1;
  };
  return controlStore({
    store,
    composeReports: (reported) => reports.compose(reported),
    policy: defaultRetryPolicy,
    now,
    wake,
  });
}

/** A message that was tried once and waits. */
async function queueMessage(
  reversePath = 'alice@example.org',
  recipients = ['bob@example.net'],
  wishes: { heldUntil?: number } = {},
): Promise<string> {
  const id = store.newId();
  const content = Buffer.from('Subject: hello\r\n\r\nworld\r\n');
  const envelope = {
    id,
    reversePath,
    recipients: recipients.map((address) => ({ address })),
    receivedAt: now() - hour,
    size: content.length,
    body: '7BIT',
    smtputf8: false,
    origin: { clientAddress: '192.0.2.1' },
    ...wishes,
  } as const;
  await store.add([{ envelope, content }]);
  await store.change(id, ({ state }) => ({ state: { ...state, due: now() + hour }, reports: [] }));
  return id;
}

async function all(list: AsyncIterable<QueuedMessage>): Promise<QueuedMessage[]> {
  const messages: QueuedMessage[] = [];
  for await (const message of list) messages.push(message);
  return messages;
}

/** What comes back for a request that no client of ours would make. */
function ask(
  method: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<{ code: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method, path: target, headers, agent: false }, async (response) => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece);
      resolve({ code: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(pieces).toString()) });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('the control of a running agent', () => {
  it('can be reached by its own user alone', () => {
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('tells how it is doing, and what a reload came to', async () => {
    const client = createControlClient(path);
    expect(await client.status()).toMatchObject({ messages: 0, sessions: 3 });
    expect(await client.reload()).toEqual(reloadResult);
    reloadResult = { kind: 'refused', mistakes: ['hostname is missing. Write it.'] };
    expect(await client.reload()).toEqual(reloadResult);
  });

  it('takes over the socket of one that died, and leaves that of one that lives', async () => {
    const target = { queue: localControl(), status: () => ({}) as never, reload: async () => reloadResult };
    await expect(startControl(path, target)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await createControlClient(path).status()).toMatchObject({ sessions: 3 });
  });

  it('is refused when none runs', async () => {
    const client = createControlClient(join(folder, 'nobody'));
    await expect(client.status()).rejects.toMatchObject({ kind: 'refused' });
    await expect(client.queue.get('x')).rejects.toMatchObject({ kind: 'refused' });
    await expect(all(client.queue.list())).rejects.toMatchObject({ kind: 'refused' });
  });

  it('lists what is wanted, page after page', async () => {
    for (let index = 0; index < 25; index += 1) await queueMessage(`sender${index % 2}@example.org`);
    const { queue } = createControlClient(path);
    const ids = (messages: QueuedMessage[]) => messages.map(({ envelope }) => envelope.id);
    expect(await all(queue.list())).toEqual(await all(store.list()));
    expect(await all(queue.list({ sender: 'sender1@example.org' }))).toHaveLength(12);
    const seven = await all(queue.list({ limit: 7 }));
    expect(seven).toHaveLength(7);
    const rest = await all(queue.list({ after: ids(seven).at(-1) ?? '' }));
    expect([...ids(seven), ...ids(rest)]).toEqual(ids(await all(store.list())));
  });

  it('hands out a listing of large messages in pages, and all of it', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => `a-rather-long-name-of-a-recipient-${index}@example.net`);
    for (let index = 0; index < 40; index += 1) await queueMessage('alice@example.org', many);
    const page = await ask('GET', '/queue');
    expect(page).toMatchObject({ code: 200, body: { next: expect.any(String) } });
    expect(await all(createControlClient(path).queue.list())).toHaveLength(40);
    expect(await all(createControlClient(path).queue.list({ limit: 39 }))).toHaveLength(39);
  });

  it('shows one message', async () => {
    const id = await queueMessage();
    const { queue } = createControlClient(path);
    expect(await queue.get(id)).toEqual(await store.get(id));
    expect(await queue.get('nobody')).toBeUndefined();
    expect(await queue.get('../status')).toBeUndefined();
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/nothing', 404],
    ['PUT', '/reload', 404],
    ['GET', '/reload', 404],
    ['DELETE', '/queue/x', 404],
    ['POST', '/queue/x/explode', 404],
    ['POST', '/queue/x/retry/more', 404],
    ['GET', '/queue?limit=0', 400],
    ['GET', '/queue?limit=many', 400],
    ['GET', '/queue?held=perhaps', 400],
    ['GET', '/queue?colour=red', 400],
    ['GET', `/queue?sender=${'x'.repeat(2000)}`, 400],
    ['GET', '//', 400],
  ])('answers %s %s with %s', async (method, target, code) => {
    expect(await ask(method, target)).toMatchObject({ code, body: { error: expect.any(String) } });
  });

  it('takes no body', async () => {
    expect(await ask('POST', '/reload', { 'content-length': '1' })).toMatchObject({ code: 413 });
    expect(await ask('POST', '/reload', { 'transfer-encoding': 'chunked' })).toMatchObject({ code: 413 });
  });

  it('drops what is no HTTP, and goes on', async () => {
    const socket = connect(path);
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    socket.end('EHLO me\r\n\r\n');
    await ended;
    expect(await createControlClient(path).status()).toMatchObject({ sessions: 3 });
  });
});

const controls: [string, () => QueueControl][] = [
  ['this process', localControl],
  ['another process', () => createControlClient(path).queue],
];

describe.each(controls)('a queue that %s controls', (_, createControl) => {
  it('tries a message at once, held or not', async () => {
    const id = await queueMessage();
    const queue = createControl();
    await queue.act(id, 'hold');
    expect(await queue.act(id, 'retry')).toBe('done');
    expect(await store.get(id)).toMatchObject({ state: { held: false, due: now() } });
    expect(woken).toBe(2);
  });

  it('leaves a message alone that its sender wants to be released later', async () => {
    const id = await queueMessage('alice@example.org', ['bob@example.net'], { heldUntil: now() + hour });
    const before = await store.get(id);
    expect(await createControl().act(id, 'retry')).toBe('early');
    expect(await store.get(id)).toEqual(before);
    expect(woken).toBe(0);
  });

  it('holds a message until it is released, and its due time stays', async () => {
    const id = await queueMessage();
    const queue = createControl();
    expect(await queue.act(id, 'hold')).toBe('done');
    expect(await store.get(id)).toMatchObject({ state: { held: true, due: now() + hour } });
    expect(await queue.act(id, 'release')).toBe('done');
    expect(await store.get(id)).toMatchObject({ state: { held: false, due: now() + hour } });
  });

  it('deletes a message, and tells nobody', async () => {
    const id = await queueMessage();
    expect(await createControl().act(id, 'delete')).toBe('done');
    expect(store.count()).toBe(0);
  });

  it('gives a message back to its sender in the same step that takes it from the queue', async () => {
    const id = await queueMessage('alice@example.org', ['bob@example.net', 'carol@example.net']);
    expect(await createControl().act(id, 'bounce')).toBe('done');
    expect(await store.get(id)).toBeUndefined();
    const [report, ...others] = await all(store.list());
    expect(others).toEqual([]);
    expect(report?.envelope).toMatchObject({ reversePath: '', recipients: [{ address: 'alice@example.org' }] });
    const content = await store.content(report?.envelope.id ?? '');
    const text = content.bytes?.toString() ?? '';
    expect(text).toMatch(/Final-Recipient: rfc822; ?bob@example.net/i);
    expect(text).toMatch(/Final-Recipient: rfc822; ?carol@example.net/i);
    expect(text).toMatch(/Given back by the postmaster/);
  });

  it('CLI-RTY-4 reports nothing about a report that is given back', async () => {
    const id = await queueMessage('');
    expect(await createControl().act(id, 'bounce')).toBe('done');
    expect(store.count()).toBe(0);
  });

  it('tells of each action whether the message is gone, or in hand', async () => {
    const id = await queueMessage();
    await store.change(id, ({ state }) => ({ state: { ...state, due: now() }, reports: [] }));
    await store.claim({ now: now(), limit: 1, until: now() + hour });
    const results = async (of: string) => {
      const acted = await Promise.all(queueActions.map((action: QueueAction) => createControl().act(of, action)));
      return new Set(acted);
    };
    expect(await results(id)).toEqual(new Set(['busy']));
    expect(await results('nobody')).toEqual(new Set(['absent']));
    expect(woken).toBe(0);
  });
});
