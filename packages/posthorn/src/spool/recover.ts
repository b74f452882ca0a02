import { partKey } from './content.ts';
import { freshDueKey, planDue } from './plan.ts';
import type { Backend, Write } from './table.ts';

/** Entries of one transaction: few enough for the room that a full disk has left. */
const STEP = 100;

/** Makes the tables whole after an earlier run, by walks over the keys of what it had in hand. */
export async function recover(backend: Backend): Promise<void> {
  await sweepDrafts(backend);
  await openMessages(backend);
}

/** Removes what is there of messages that were never committed. */
async function sweepDrafts(backend: Backend): Promise<void> {
  const { drafts, parts } = backend.tables;
  for (;;) {
    const [id] = drafts.keys({ start: '0', limit: 1 });
    if (id === undefined) return;
    const range = { start: partKey(id, 0), end: `${id}0`, limit: STEP };
    for (let keys = parts.keys(range); keys.length > 0; keys = parts.keys(range)) {
      await backend.commit(
        keys.map((key): Write => ({ table: 'parts', key })),
        'queued mail',
      );
    }
    await backend.commit([{ table: 'drafts', key: id }], 'queued mail');
  }
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
