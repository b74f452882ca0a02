import { readPart } from './content.ts';
import { PART_SIZE } from './record.ts';
import type { Table } from './table.ts';

const CR = 0x0d;
const LF = 0x0a;

/** Parts of one message on disk: all full but the last. */
export interface StoredParts {
  readonly id: string;
  readonly count: number;
  readonly size: number;
}

/** The octets up to and with the last line end in the parts of a message; 0 without any (RFC 1845 §3). */
export function lastLineEnd(parts: Table, { id, count }: StoredParts): number {
  let next: Buffer | undefined;
  for (let part = count - 1; part >= 0; part -= 1) {
    const bytes = readPart(parts, id, part);
    if (next?.[0] === LF && bytes.at(-1) === CR) return (part + 1) * PART_SIZE + 1;
    const at = bytes.lastIndexOf('\r\n');
    if (at !== -1) return part * PART_SIZE + at + 2;
    next = bytes;
  }
  return 0;
}

/** The octets up to the last that is no half of a line end (RFC 3030 §2). */
export function lastWholeOctet(parts: Table, { id, count, size }: StoredParts): number {
  return count > 0 && readPart(parts, id, count - 1).at(-1) === CR ? size - 1 : size;
}
