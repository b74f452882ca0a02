import { Failure } from '@posthorn/smtp/failure/failure';
import type { Content } from '../queue/queue-store.ts';
import { PART_SIZE } from './record.ts';
import type { KeyRange, Table } from './table.ts';

/** The key of one part of a message's content; parts sort by number. */
export function partKey(id: string, part: number): string {
  return `${id}/${part.toString(36).padStart(6, '0')}`;
}

/** The keys of the parts of a message, or of those from a number on. */
export function partRange(id: string, from = 0): Pick<KeyRange, 'start' | 'end'> {
  return { start: partKey(id, from), end: `${id}0` };
}

function* slices(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let start = 0; start < bytes.length; start += PART_SIZE) yield bytes.subarray(start, start + PART_SIZE);
}

/** Content that is in hand. */
export function contentInHand(bytes: Buffer): Content {
  return {
    size: bytes.length,
    bytes,
    async *stream() {
      yield* slices(bytes);
    },
  };
}

/** Content that is read part by part, as it is wanted. */
export function contentOfParts(
  parts: Table,
  { id, count, size }: { id: string; count: number; size: number },
): Content {
  return {
    size,
    async *stream() {
      for (let part = 0; part < count; part++) yield* slices(readPart(parts, id, part));
    },
  };
}

/** One part of a message's content; throws Failure `storage` when it is not there. */
export function readPart(parts: Table, id: string, part: number): Buffer {
  const bytes = parts.get(partKey(id, part));
  if (bytes === undefined) throw new Failure('storage', `Part ${part} of message ${id} is not in the spool`);
  return bytes;
}
