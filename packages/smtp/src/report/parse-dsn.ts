import type { DeliveryReport } from './delivery-report.ts';
import { decoded, type Leaf, leavesWithin } from './leaves.ts';
import { parseDeliveryStatus } from './parse-delivery-status.ts';

/** A delivery status notification, read (RFC 3464 §2). */
export interface ReadDsn {
  readonly report: DeliveryReport;
  /** What it says to people, when it says so in plain text. */
  readonly explanation?: string;
  /** What it brings back: a message, or its header alone. */
  readonly original?: { readonly kind: 'message' | 'headers'; readonly content: Buffer };
}

const statusTypes = ['message/delivery-status', 'message/global-delivery-status'];
const messageTypes = ['message/rfc822', 'message/global'];
const headerTypes = ['text/rfc822-headers', 'message/global-headers', 'message/rfc822-headers'];

/** Reads a delivery status notification; undefined when the message is none (RFC 3464 §2, RFC 6533 §4.4). */
export function parseDsn(message: Buffer): ReadDsn | undefined {
  const leaves = leavesWithin(message, 'multipart/report');
  const at = leaves.findIndex(({ mediaType }) => statusTypes.includes(mediaType));
  if (at < 0) return undefined;
  const report = parseDeliveryStatus(decoded(leaves[at] as Leaf));
  if (report === undefined) return undefined;
  const text = leaves.slice(0, at).find(({ mediaType }) => mediaType === 'text/plain');
  const original = readOriginal(leaves.slice(at + 1));
  return {
    report,
    ...(text && { explanation: decoded(text).toString('utf8') }),
    ...(original && { original }),
  };
}

function readOriginal(leaves: readonly Leaf[]): ReadDsn['original'] {
  const leaf = leaves.find(({ mediaType }) => messageTypes.includes(mediaType) || headerTypes.includes(mediaType));
  if (leaf === undefined) return undefined;
  return { kind: messageTypes.includes(leaf.mediaType) ? 'message' : 'headers', content: decoded(leaf) };
}
