/** An enhanced status code `class.subject.detail` as text (RFC 3463 §2). */
export type Status = `${2 | 4 | 5}.${number}.${number}`;

/** One reply to one command: the code, its enhanced status where it has one, and its text lines (RFC 5321 §4.2). */
export interface Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  readonly status?: Status;
  /** The text of each line, without code, status, separator and CRLF; at least one. */
  readonly lines: readonly string[];
}

/** Makes a reply; lines may be empty strings, none at all counts as one empty line (RFC 5321 §4.2). */
export function reply(code: number, status: Status | undefined, ...lines: string[]): Reply {
  const text = lines.length === 0 ? [''] : lines;
  return status === undefined ? { code, lines: text } : { code, status, lines: text };
}

/** Whether the command was done: 2yz (RFC 5321 §4.2.1). */
export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

/** Whether more input is awaited: 3yz (RFC 5321 §4.2.1). */
export function isIntermediate(reply: Reply): boolean {
  return reply.code >= 300 && reply.code < 400;
}

/** Whether the same command may succeed later: 4yz (RFC 5321 §4.2.1). */
export function isTemporary(reply: Reply): boolean {
  return reply.code >= 400 && reply.code < 500;
}

/** Whether the same command will fail again: 5yz (RFC 5321 §4.2.1). */
export function isPermanent(reply: Reply): boolean {
  return reply.code >= 500;
}
