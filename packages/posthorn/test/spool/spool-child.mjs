// A process of its own around a spool, for tests that kill it or watch its system calls: node spool-child.mjs TASK PATH.
import { createHash } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { openSpool } from '../../dist/spool/open-spool.js';

const [task, path, ...rest] = process.argv.slice(2);
const say = (...words) => writeSync(1, `${words.join(' ')}\n`);

function envelopeOf(id, size) {
  const recipients = [{ address: 'rcpt@b.example' }];
  const origin = { clientAddress: '192.0.2.1' };
  return {
    id,
    reversePath: 'a@a.example',
    recipients,
    receivedAt: Date.now(),
    size,
    body: '7BIT',
    smtputf8: false,
    origin,
  };
}

/** Text that tells which message it belongs to, at every place. */
function textOf(id, size) {
  const seed = createHash('sha256').update(id).digest();
  return Buffer.alloc(size, seed);
}

async function commit(store, size) {
  const draft = store.draft();
  const text = textOf(draft.id, size);
  for (let start = 0; start < size; start += 65_536) await draft.write(text.subarray(start, start + 65_536));
  if (size % 7 === 0) return void (await draft.discard());
  await draft.commit(envelopeOf(draft.id, size));
  say('kept', draft.id);
  return draft.id;
}

const deferred = { due: Date.now(), held: false, recipients: [{ kind: 'pending', attempts: 1 }] };

/** Commits, settles and reports as fast as it can, and says so when it is done. */
async function work(store) {
  for (;;) {
    const id = await commit(store, Math.floor(Math.random() < 0.1 ? Math.random() * 1_200_000 : Math.random() * 6000));
    const fate = Math.random();
    if (id === undefined || fate < 0.3) continue;
    if (fate < 0.7) {
      say('settling', id);
      await store.settle(id, { state: 'done', reports: [] });
      say('gone', id);
      continue;
    }
    const reportId = store.newId();
    const content = textOf(reportId, 500);
    say('deferring', id, reportId);
    await store.settle(id, { state: deferred, reports: [{ envelope: envelopeOf(reportId, 500), content }] });
    say('deferred', id, reportId);
  }
}

/** Resident memory in octets: all of it, and what is not a page of a file that the system may take back. */
function memory() {
  global.gc?.();
  const status = readFileSync('/proc/self/status', 'utf8');
  const [all, own] = ['VmRSS', 'RssAnon'].map(
    (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024,
  );
  return { all, own };
}

const before = task === 'depth' ? memory() : undefined;
const store = await openSpool({ path, now: Date.now });
say('open', process.pid);

if (task === 'work') {
  for (let i = 0; i < 20; i++) void work(store);
} else if (task === 'hold') {
  process.stdin.resume();
  process.stdin.on('end', () => store.close());
} else if (task === 'commit') {
  const [writers, count] = rest.map(Number);
  const writer = async () => {
    for (let i = 0; i < count; i++) {
      const id = await commit(store, 4096);
      await store.settle(id, { state: 'done', reports: [] });
      say('gone', id);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  await store.close();
} else if (task === 'depth') {
  const due = store.nextDue();
  const ready = memory();
  let claimed = 0;
  for (let i = 0; i < 10; i++) {
    const messages = await store.claim({ now: due + 1e9, limit: 100, until: due + 2e9 });
    for (const { envelope } of messages) await store.content(envelope.id);
    claimed += messages.length;
  }
  let listed = 0;
  for await (const _ of store.list({ limit: 10_000_000 })) listed++;
  say(JSON.stringify({ ready: ready.all - before.all, used: memory().own - before.own, claimed, listed }));
  await store.close();
}
