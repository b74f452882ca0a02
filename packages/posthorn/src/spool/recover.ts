import { parseCheckpoint } from './checkpoint-record.ts';
import { partRange } from './content.ts';
import { freshDueKey, planDue } from './plan.ts';
import type { Backend, Write } from './table.ts';

/** Entries of one transaction: few enough for the room that a full disk has left. */
const STEP = 100;

/** Makes the tables whole after an earlier run, by walks over the keys of what it had in hand. */
export async function recover(backend: Backend): Promise<void> {
  await sweepDrafts(backend, await keptDrafts(backend));
  await openMessages(backend);
}

/** Drafts that another session may go on with; a record that has lost its draft is removed. */
async function keptDrafts(backend: Backend): Promise<ReadonlySet<string>> {
  const { checkpoints, drafts } = backend.tables;
  const kept = new Set<string>();
  let start = '';
  for (;;) {
    const keys = checkpoints.keys({ start, limit: STEP });
    for (const key of keys) {
      const { id, complete } = parseCheckpoint(checkpoints.get(key) ?? Buffer.alloc(0));
      if (complete !== undefined) continue;
      if (drafts.get(id) !== undefined) kept.add(id);
      else await backend.commit([{ table: 'checkpoints', key }], 'queued mail');
    }
    const last = keys.at(-1);
    if (last === undefined) return kept;
    start = `${last}!`;
  }
}

/** Removes what is there of messages that were never committed. */
async function sweepDrafts(backend: Backend, kept: ReadonlySet<string>): Promise<void> {
  let start = '0';
  for (;;) {
    const [id] = backend.tables.drafts.keys({ start, limit: 1 });
    if (id === undefined) return;
    if (!kept.has(id)) await sweepDraft(backend, id, (writes) => backend.commit(writes, 'queued mail'));
    start = `${id}!`;
  }
}

/** Removes the parts of a draft, a few at a time, and then its entry. */
export async function sweepDraft(
  { tables }: Backend,
  id: string,
  commit: (writes: readonly Write[]) => Promise<void>,
): Promise<void> {
  const range = { ...partRange(id), limit: STEP };
  for (let keys = tables.parts.keys(range); keys.length > 0; keys = tables.parts.keys(range)) {
    await commit(keys.map((key): Write => ({ table: 'parts', key })));
  }
  await commit([{ table: 'drafts', key: id }]);
}

/** Makes claimable what was leased to whoever received it. */
async function openMessages(backend: Backend): Promise<void> {
  let start = '0';
  for (;;) {
    const ids = backend.tables.messages.keys({ start, limit: STEP });
    const last = ids.at(-1);
    if (last === undefined) return;
    await backend.commit(
      ids.map((id) => planDue(freshDueKey(id))),
      'queued mail',
    );
    start = `${last}!`;
  }
}
