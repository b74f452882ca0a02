import { withoutControls } from '../bytes/without-controls.ts';
import type { Reply, Status } from './reply.ts';

/** One line of a reply: its code, whether more lines follow, and its text (RFC 5321 §4.2). */
export interface ReplyLine {
  readonly code: number;
  readonly more: boolean;
  readonly text: string;
}

const ZERO = 0x30;
const HYPHEN = 0x2d;
const SPACE = 0x20;

/** The digit at an index of the line, or -1. */
function digitAt(line: Buffer, index: number): number {
  const digit = (line[index] ?? 0) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/**
 * Reads one line without its CRLF; undefined when it does not begin with a code of 200 to 599. The text may be missing,
 * and so may the space before it; control characters come out as `?`, so that no text can steer a terminal or a log.
 */
export function parseReplyLine(line: Buffer): ReplyLine | undefined {
  const [first, second, third] = [digitAt(line, 0), digitAt(line, 1), digitAt(line, 2)];
  if (first < 2 || first > 5 || second === -1 || third === -1 || digitAt(line, 3) !== -1) return undefined;
  const separator = line[3];
  const text = line.toString('utf8', separator === HYPHEN || separator === SPACE ? 4 : 3);
  return { code: first * 100 + second * 10 + third, more: separator === HYPHEN, text: withoutControls(text) };
}

const status = /^[245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})(?= |$)/;

/** The enhanced status that begins a text; undefined when there is none, or its class is not that of the code (RFC 2034 §4). */
function statusOf(code: number, text: string): Status | undefined {
  const found = text.charCodeAt(0) - ZERO === Math.floor(code / 100) ? status.exec(text) : null;
  return found === null ? undefined : (found[0] as Status);
}

/** Makes a reply of its lines: the status is read once and taken away from each line that repeats it (RFC 2034 §4). */
export function joinReplyLines(code: number, texts: readonly string[]): Reply {
  const found = statusOf(code, texts[0] ?? '');
  if (found === undefined) return { code, lines: texts };
  const lines = texts.map((text) => (statusOf(code, text) === found ? text.slice(found.length + 1) : text));
  return { code, status: found, lines };
}
