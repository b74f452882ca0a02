import { Failure } from '@posthorn/smtp/failure/failure';
import type { Envelope } from '../queue/envelope.ts';
import type { MessageState } from '../queue/queue-store.ts';
import { partKey } from './content.ts';
import { domainKeysOf } from './domain-index.ts';
import { dueKey } from './due-key.ts';
import { isQueueId, parseTime } from './queue-id.ts';
import { composeRecord, composeState, PART_SIZE, type Place, type StoredMessage } from './record.ts';
import type { Write } from './table.ts';

const NOTHING = Buffer.alloc(0);

/** Writes of one transaction. */
export interface Plan {
  readonly writes: readonly Write[];
  /** The entries of `due` that it opens to whoever claims. */
  readonly opened: readonly string[];
  /** Where it leaves the message that it is about, if it leaves it. */
  readonly place?: Place;
}

/** The key in `due` of a message that no attempt has been recorded for. */
export function freshDueKey(id: string): string {
  return dueKey(parseTime(id), id);
}

/** The write that makes a message claimable. */
export function planDue(key: string): Write {
  return { table: 'due', key, value: NOTHING };
}

/** Plans to store a message that nobody holds, from the writes of its record. */
export function planOpened(id: string, record: readonly Write[]): Plan {
  const key = freshDueKey(id);
  return { writes: [...record, planDue(key)], opened: [key] };
}

/** The writes of a ready-made message; throws Failure `invalid` when its id is none of ours. */
export function planRecord(envelope: Envelope, content: Buffer): Write[] {
  const { id } = envelope;
  if (!isQueueId(id)) throw new Failure('invalid', `${id} is not a queue id`);
  if (content.length <= PART_SIZE) {
    const record = composeRecord(envelope, 0, { chunks: [content], size: content.length });
    return [{ table: 'messages', key: id, value: record.bytes }];
  }
  const writes: Write[] = [];
  for (let start = 0; start < content.length; start += PART_SIZE) {
    writes.push({ table: 'parts', key: partKey(id, writes.length), value: content.subarray(start, start + PART_SIZE) });
  }
  const record = composeRecord(envelope, writes.length, { chunks: [], size: 0 });
  writes.push({ table: 'messages', key: id, value: record.bytes });
  return writes;
}

/** Plans to remove all there is of a message. */
export function planRemoval(id: string, { fresh, parts, dueKey, domainKeys = [] }: Place): Write[] {
  const writes: Write[] = [{ table: fresh ? 'messages' : 'states', key: id }];
  if (dueKey !== undefined) writes.push({ table: 'due', key: dueKey });
  for (const key of domainKeys) writes.push({ table: 'domains', key });
  for (let part = 0; part < parts; part++) writes.push({ table: 'parts', key: partKey(id, part) });
  return writes;
}

/** A message, where it is, and the content within its record. */
export interface Found {
  readonly message: StoredMessage;
  readonly place: Place;
  readonly content?: Buffer;
}

/** Plans to give a message a state; its content leaves the record, which is written anew with each state. */
export function planState(id: string, { message, place, content }: Found, state: MessageState): Plan {
  const writes: Write[] = [];
  let parts = place.parts;
  if (place.fresh) {
    writes.push({ table: 'messages', key: id });
    if (content !== undefined && content.length > 0) {
      writes.push({ table: 'parts', key: partKey(id, 0), value: content });
      parts = 1;
    }
  }
  writes.push({ table: 'states', key: id, value: composeState({ envelope: message.envelope, state }, parts) });
  const key = state.held ? undefined : dueKey(state.due, id, message.envelope.priority);
  if (place.dueKey !== undefined && place.dueKey !== key) writes.push({ table: 'due', key: place.dueKey });
  if (key !== undefined && place.dueKey !== key) writes.push(planDue(key));
  const domainKeys = domainKeysOf({ envelope: message.envelope, state });
  writes.push(...planDomains(place.domainKeys ?? [], domainKeys));
  if (key === undefined) return { writes, opened: [], place: { fresh: false, parts, domainKeys } };
  return { writes, opened: [key], place: { fresh: false, parts, dueKey: key, domainKeys } };
}

function planDomains(before: readonly string[], after: readonly string[]): Write[] {
  const [old, kept] = [new Set(before), new Set(after)];
  const gone = before.filter((key) => !kept.has(key)).map((key): Write => ({ table: 'domains', key }));
  const come = after.filter((key) => !old.has(key));
  return [...gone, ...come.map((key): Write => ({ table: 'domains', key, value: NOTHING }))];
}
