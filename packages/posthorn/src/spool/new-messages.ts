import type { NewMessage } from '../queue/queue-store.ts';
import type { OnceKeys } from './once-keys.ts';
import { planOpened, planRecord } from './plan.ts';
import { SpoolDraft } from './spool-draft.ts';
import type { Write } from './table.ts';

/** Messages of our own on their way into the tables. */
export interface NewMessages {
  readonly writes: readonly Write[];
  /** The entries of `due` that open them to whoever claims. */
  readonly opened: readonly string[];
  /** To be told whether the writes are on disk: without them, drafts can be committed anew or discarded. */
  end(isCommitted: boolean): Promise<void>;
}

/** Waits, where there are drafts among them, until these are on disk up to their last part; rejects with Failure `full` or `storage`. */
export function draftsWritten(messages: readonly NewMessage[]): Promise<unknown> | undefined {
  const drafts = draftsOf(messages);
  return drafts.length === 0 ? undefined : Promise.all(drafts.map((draft) => draft.written()));
}

/** Plans to store messages of our own, whose drafts are written; throws Failure `invalid` for an id that is none. */
export function planNewMessages(messages: readonly NewMessage[], once: OnceKeys): NewMessages {
  const remembered = once.remember(messages);
  const ends: ((isCommitted: boolean) => void)[] = [remembered.done];
  const plans = remembered.messages.map(({ envelope, content }) => {
    if (Buffer.isBuffer(content)) return planOpened(envelope.id, planRecord(envelope, content));
    if (!(content instanceof SpoolDraft)) throw new Error('The draft is of another store');
    const { writes, end } = content.plan(envelope);
    ends.push(end);
    return planOpened(envelope.id, writes);
  });
  return {
    writes: [...plans.flatMap(({ writes }) => writes), ...remembered.writes],
    opened: plans.flatMap(({ opened }) => opened),
    async end(isCommitted) {
      for (const end of ends) end(isCommitted);
      // What was left out leaves nothing behind.
      if (isCommitted) for (const draft of draftsOf(messages)) await draft.discard();
    },
  };
}

function draftsOf(messages: readonly NewMessage[]): SpoolDraft[] {
  return messages.flatMap(({ content }) => (content instanceof SpoolDraft ? [content] : []));
}
