import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/queue/envelope.ts';
import type { MessageState, QueueStore } from '../../src/queue/queue-store.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import {
  commitMessage,
  deferredState,
  listAll,
  readContent,
  type SampleMessage,
  sampleMessage,
  sampleText,
} from './spool-samples.ts';

const START = 1_700_000_000_000;
const directory = mkdtempSync(join(tmpdir(), 'posthorn-model-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface ModelMessage {
  readonly envelope: Envelope;
  readonly text: Buffer;
  state: MessageState;
  /** End of the lease; undefined: nobody has it. */
  until: number | undefined;
}

/** What a store should hold, in the plainest form: a map, and a walk over all of it for every question. */
class Model {
  now = START;
  readonly messages = new Map<string, ModelMessage>();

  free(now = this.now): [string, ModelMessage][] {
    const isFree = ({ until, state }: ModelMessage) => (until === undefined || until <= now) && !state.held;
    const order = ([a, one]: [string, ModelMessage], [b, other]: [string, ModelMessage]) =>
      one.state.due - other.state.due || (a < b ? -1 : 1);
    return [...this.messages].filter(([, message]) => isFree(message)).sort(order);
  }

  pick(index: number): string | undefined {
    const ids = [...this.messages.keys()].sort();
    return ids[index % Math.max(ids.length, 1)];
  }

  isLeased(id: string): boolean {
    const until = this.messages.get(id)?.until;
    return until !== undefined && until > this.now;
  }
}

/** The store under test; it may be opened again in the middle. */
interface Real {
  store: QueueStore;
  readonly reopen?: (store: QueueStore, crash: boolean) => Promise<QueueStore>;
}

type Command = fc.AsyncCommand<Model, Real>;

/** The state that a store gives to a message that no attempt was made for. */
async function stateOf(real: Real, id: string): Promise<MessageState> {
  const message = await real.store.get(id);
  expect(message?.state.recipients).toEqual([{ kind: 'pending', attempts: 0 }]);
  expect(message?.state.held).toBe(false);
  return message?.state as MessageState;
}

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

const sizes = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(262_144, 262_145, 700_000));
const indexes = fc.nat({ max: 1000 });
const delays = fc.integer({ min: -1000, max: 5000 });

const commit = fc.tuple(sizes, fc.boolean()).map(([size, isReleased]) =>
  command(`commit(${size}, ${isReleased ? 'release' : 'keep'})`, async (model, real) => {
    const text = sampleText(size, model.messages.size);
    const { id, envelope, content } = await commitMessage(real.store, text);
    expect((await readContent(content)).equals(text)).toBe(true);
    if (isReleased) await real.store.release(id);
    const state = await stateOf(real, id);
    model.messages.set(id, { envelope, text, state, until: isReleased ? undefined : Number.POSITIVE_INFINITY });
  }),
);

async function putIntoModel(model: Model, real: Real, messages: readonly SampleMessage[]): Promise<void> {
  for (const { envelope, content } of messages) {
    const state = await stateOf(real, envelope.id);
    model.messages.set(envelope.id, { envelope, text: content, state, until: undefined });
  }
}

const add = fc.array(sizes, { maxLength: 3 }).map((sizes) =>
  command(`add(${sizes})`, async (model, real) => {
    const messages = sizes.map((size, index) => sampleMessage(real.store, sampleText(size, index)));
    await real.store.add(messages);
    await putIntoModel(model, real, messages);
  }),
);

const discard = sizes.map((size) =>
  command(`discard(${size})`, async (_, real) => {
    const draft = real.store.draft();
    await draft.write(sampleText(size));
    await draft.discard();
    expect(await real.store.get(draft.id)).toBeUndefined();
  }),
);

const claim = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 3000 })).map(([limit, time]) =>
  command(`claim(${limit}, ${time})`, async (model, real) => {
    const until = model.now + time;
    const claimed = await real.store.claim({ now: model.now, limit, until });
    const due = model.free().filter(([, { state }]) => state.due <= model.now);
    const expected = due.slice(0, limit);
    expect(claimed).toEqual(expected.map(([, { envelope, state }]) => ({ envelope, state })));
    for (const [, message] of expected) message.until = until;
  }),
);

const claimOne = fc.tuple(indexes, fc.integer({ min: 1, max: 3000 })).map(([index, time]) =>
  command(`claimOne(${index}, ${time})`, async (model, real) => {
    const id = model.pick(index) ?? real.store.newId();
    const message = model.free().find(([each]) => each === id)?.[1];
    const until = model.now + time;
    const claimed = await real.store.claimOne(id, { now: model.now, until });
    expect(claimed).toEqual(message && { envelope: message.envelope, state: message.state });
    if (message !== undefined) message.until = until;
  }),
);

const renew = fc.tuple(indexes, delays).map(([index, delay]) =>
  command(`renew(${index}, ${delay})`, async (model, real) => {
    const id = model.pick(index);
    if (id === undefined || !model.isLeased(id)) return;
    const message = model.messages.get(id) as ModelMessage;
    real.store.renew(id, model.now + delay);
    if (message.until !== Number.POSITIVE_INFINITY) message.until = model.now + delay;
  }),
);

const release = fc.tuple(indexes, fc.option(delays)).map(([index, delay]) =>
  command(`release(${index}, ${delay})`, async (model, real) => {
    const id = model.pick(index);
    if (id === undefined || !model.isLeased(id)) return;
    const message = model.messages.get(id) as ModelMessage;
    if (delay === null) {
      await real.store.release(id);
    } else {
      const due = model.now + delay;
      await real.store.release(id, due);
      message.state = { ...message.state, due };
    }
    message.until = undefined;
  }),
);

const settle = fc
  .record({
    index: indexes,
    delay: fc.option(delays),
    isHeld: fc.boolean(),
    reports: fc.array(sizes, { maxLength: 2 }),
  })
  .map(({ index, delay, isHeld, reports }) =>
    command(`settle(${index}, ${delay}, ${isHeld}, ${reports})`, async (model, real) => {
      const id = model.pick(index);
      if (id === undefined || !model.isLeased(id)) return;
      const messages = reports.map((size) => sampleMessage(real.store, sampleText(size, index)));
      const state = delay === null ? 'done' : deferredState(model.now + delay, { held: isHeld });
      await real.store.settle(id, { state, reports: messages });
      if (state === 'done') model.messages.delete(id);
      else Object.assign(model.messages.get(id) as ModelMessage, { state, until: undefined });
      await putIntoModel(model, real, messages);
    }),
  );

const record = fc.tuple(indexes, delays, sizes).map(([index, delay, size]) =>
  command(`record(${index}, ${delay}, ${size})`, async (model, real) => {
    const id = model.pick(index);
    if (id === undefined || !model.isLeased(id)) return;
    const messages = [sampleMessage(real.store, sampleText(size, index))];
    const state = deferredState(model.now + delay, { held: index % 5 === 0 });
    await real.store.record(id, { state, reports: messages });
    Object.assign(model.messages.get(id) as ModelMessage, { state });
    await putIntoModel(model, real, messages);
  }),
);

const change = fc
  .record({ index: indexes, kind: fc.constantFrom('hold', 'let go', 'retry', 'delete'), delay: delays })
  .map(({ index, kind, delay }) =>
    command(`change(${index}, ${kind}, ${delay})`, async (model, real) => {
      const id = model.pick(index) ?? real.store.newId();
      const message = model.messages.get(id);
      const isThere = message !== undefined && !model.isLeased(id);
      const due = model.now + delay;
      const changed = await real.store.change(id, ({ envelope, state }) => {
        expect({ envelope, state }).toEqual({ envelope: message?.envelope, state: message?.state });
        if (kind === 'delete') return { state: 'done', reports: [] };
        if (kind === 'retry') return { state: { ...state, due }, reports: [] };
        return { state: { ...state, held: kind === 'hold' }, reports: [] };
      });
      expect(changed).toBe(isThere);
      if (message === undefined || !isThere) return;
      message.until = undefined;
      if (kind === 'delete') model.messages.delete(id);
      else if (kind === 'retry') message.state = { ...message.state, due };
      else message.state = { ...message.state, held: kind === 'hold' };
    }),
  );

const pass = fc.integer({ min: 1, max: 4000 }).map((time) =>
  command(`pass(${time})`, async (model) => {
    model.now += time;
  }),
);

const reopen = fc.boolean().map((crash) =>
  command(`reopen(${crash ? 'crash' : 'close'})`, async (model, real) => {
    if (real.reopen === undefined) return;
    real.store = await real.reopen(real.store, crash);
    for (const message of model.messages.values()) message.until = undefined;
  }),
);

const checkAll = command('check', async (model, real) => {
  const { store } = real;
  expect(store.count()).toBe(model.messages.size);
  expect(store.nextDue()).toBe(model.free()[0]?.[1].state.due);
  const waiting = [...store.waitingFor({ domain: 'b.example' })];
  const free = [...model.messages].filter(([, { state }]) => !state.held);
  expect(free.map(([id]) => id)).toEqual(expect.arrayContaining(waiting));
  const attempted = free.filter(([, { state }]) => state.recipients.some(({ attempts }) => attempts > 0));
  expect(waiting).toEqual(expect.arrayContaining(attempted.map(([id]) => id)));
  expect([...new Set(waiting)].sort()).toEqual(waiting);
  const listed = await listAll(store.list());
  const expected = [...model.messages].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(listed).toEqual(expected.map(([, { envelope, state }]) => ({ envelope, state })));
  for (const [id, { text }] of expected) {
    expect((await readContent(await store.content(id))).equals(text)).toBe(true);
  }
});

const everything = fc.commands(
  [
    commit,
    commit,
    add,
    discard,
    claim,
    claim,
    claimOne,
    renew,
    release,
    settle,
    settle,
    record,
    change,
    pass,
    reopen,
    fc.constant(checkAll),
  ],
  {
    maxCommands: 60,
    size: '+1',
  },
);

async function checkAgainstModel(open: (now: () => number) => Promise<Real>, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(everything, async (commands) => {
    const model = new Model();
    const real = await open(() => model.now);
    try {
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await checkAll.run(model, real);
    } finally {
      await real.store.close();
    }
  });
  await fc.assert(property, { numRuns });
}

describe('whatever is done in whatever order', () => {
  it('a store in memory holds what a plain map holds', async () => {
    await checkAgainstModel(async (now) => ({ store: createMemoryStore({ now }) }), 200);
  });

  it('CMD-DATA-6 CLI-DUP-3 a spool holds what a plain map holds, also when it is opened again in the middle', async () => {
    let count = 0;
    await checkAgainstModel(async (now) => {
      let path = join(directory, `${count++}`);
      const reopen = async (store: QueueStore, crash: boolean) => {
        if (crash) {
          const copy = join(directory, `${count++}`);
          mkdirSync(copy);
          copyFileSync(join(path, 'data.mdb'), join(copy, 'data.mdb'));
          path = copy;
        }
        await store.close();
        return openSpool({ path, now });
      };
      return { store: await openSpool({ path, now }), reopen };
    }, 60);
  }, 120_000);
});
