import { Failure } from '@posthorn/smtp/failure/failure';
import type { IncomingText, Session, Transaction } from '@posthorn/smtp/server';
import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/directory/directory.ts';
import { createConsent } from '../../src/mta/consent.ts';
import { plainIntake } from '../../src/mta/intake.ts';
import { Log } from '../../src/mta/log.ts';
import { receiveMessage } from '../../src/mta/reception.ts';
import { Wishes } from '../../src/mta/wishes.ts';
import type { QueueStore } from '../../src/queue/queue-store.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { configOf, memoryLog } from './fixture.ts';

const session = { role: 'mx', clientAddress: '192.0.2.1' } as Session;
const transaction = {
  reversePath: { localPart: 'a', domain: 'example.com' },
  mail: {},
  recipients: [{ mailbox: { localPart: 'b', domain: 'example.org' }, parameters: {} }],
} as unknown as Transaction;

/** A text that is there at once, and what cancels it. */
function textOf(octets: string, controller: AbortController): IncomingText {
  return {
    size: octets.length,
    by: 'DATA',
    signal: controller.signal,
    get cancelled() {
      return controller.signal.reason as Failure | undefined;
    },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(octets);
    },
  };
}

function receive(store: Pick<QueueStore, 'draft'>, text: IncomingText) {
  const taken: string[] = [];
  const config = configOf({
    hostname: 'mx.example.org',
    dataDir: 'data',
    listeners: [{ role: 'mx' }],
    domains: { 'example.org': { mailboxes: '*', deliver: 'discard:' } },
  });
  const directory = createDirectory({ hostname: 'mx.example.org', domains: config.domains });
  const consent = createConsent(config, directory);
  const queue = createMemoryStore({ now: () => 0 });
  const wishes = new Wishes({
    extensions: config.extensions,
    policy: () => ({ users: config.users, directory, consent }),
    store: queue,
    isCrowded: () => false,
    log: new Log(memoryLog()),
    now: () => 0,
  });
  const parts = {
    hostname: 'mx.example.org',
    directory,
    wishes,
    scheduler: { take: (message: { envelope: { id: string } }) => taken.push(message.envelope.id), wake() {} },
    reports: { compose: async () => [] },
    refuseSize: () => undefined,
    log: new Log(memoryLog()),
    now: () => 0,
    mostHops: 100,
  };
  return { taken, answer: receiveMessage(parts, session, { transaction, intake: plainIntake(store.draft(), text) }) };
}

const late = new Failure('timeout', 'too late');

describe('reception', () => {
  it('CLI-DUP-1 keeps nothing of a message whose client was told 451 before the commit', async () => {
    await using store = createMemoryStore({ now: () => 0 });
    const controller = new AbortController();
    controller.abort(late);
    const { taken, answer } = receive(store, textOf('Subject: x\r\n\r\nHello\r\n', controller));
    await expect(answer).rejects.toBe(late);
    expect([store.count(), taken]).toEqual([0, []]);
  });

  it('CLI-DUP-1 takes a commit back that was still under way when its client was told 451', async () => {
    await using store = createMemoryStore({ now: () => 0 });
    const controller = new AbortController();
    const slow = {
      draft() {
        const draft = store.draft();
        const commit = draft.commit.bind(draft);
        draft.commit = async (envelope) => {
          const content = await commit(envelope);
          controller.abort(late);
          return content;
        };
        return draft;
      },
    };
    const { taken, answer } = receive(slow, textOf('Subject: x\r\n\r\nHello\r\n', controller));
    await expect(answer).rejects.toBe(late);
    expect([store.count(), taken]).toEqual([0, []]);
  });
});
