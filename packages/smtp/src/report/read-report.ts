import { decoded, type Leaf, leavesWithin } from './leaves.ts';

/** The parts of a multipart/report, read (RFC 6522 §3). */
export interface ReadReport {
  /** What it says to programs, without its encoding. */
  readonly fields: Buffer;
  /** What it says to people, when it says so in plain text. */
  readonly explanation?: string;
  /** What it brings back: a message, or its header alone. */
  readonly original?: { readonly kind: 'message' | 'headers'; readonly content: Buffer };
}

const messageTypes = ['message/rfc822', 'message/global'];
const headerTypes = ['text/rfc822-headers', 'message/global-headers', 'message/rfc822-headers'];

/** Reads a report whose part for programs is of one of these types; undefined when the message is none (RFC 6522 §3). */
export function readReport(message: Buffer, types: readonly string[]): ReadReport | undefined {
  const leaves = leavesWithin(message, 'multipart/report');
  const at = leaves.findIndex(({ mediaType }) => types.includes(mediaType));
  if (at < 0) return undefined;
  const text = leaves.slice(0, at).find(({ mediaType }) => mediaType === 'text/plain');
  const original = readOriginal(leaves.slice(at + 1));
  return {
    fields: decoded(leaves[at] as Leaf),
    ...(text && { explanation: decoded(text).toString('utf8') }),
    ...(original && { original }),
  };
}

function readOriginal(leaves: readonly Leaf[]): ReadReport['original'] {
  const leaf = leaves.find(({ mediaType }) => messageTypes.includes(mediaType) || headerTypes.includes(mediaType));
  if (leaf === undefined) return undefined;
  return { kind: messageTypes.includes(leaf.mediaType) ? 'message' : 'headers', content: decoded(leaf) };
}
