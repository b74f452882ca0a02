import { joinReplyLines, parseReplyLine } from '../reply/parse-reply.ts';
import type { Reply } from '../reply/reply.ts';
import type { Diagnostic } from './delivery-report.ts';
import { printable } from './printable.ts';

/** A reply has no bound; a report of it has (lines). */
const mostLines = 50;

/** The lines of a reply as they came over the wire, of printable ASCII (RFC 3461 §9.2). */
export function replyLines(reply: Reply): string[] {
  const lines = reply.lines.slice(0, mostLines);
  return lines.map((text, index) => {
    const separator = index < lines.length - 1 ? '-' : ' ';
    const status = reply.status === undefined ? '' : `${reply.status} `;
    return `${reply.code}${separator}${status}${printable(text)}`.trimEnd();
  });
}

/** Writes the value of Diagnostic-Code; each further line of a reply is folded on with one blank (RFC 3461 §9.2). */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  if (!('reply' in diagnostic)) return `${printable(diagnostic.type)}; ${printable(diagnostic.text)}`;
  return `${diagnostic.type}; ${replyLines(diagnostic.reply).join('\r\n ')}`;
}

/** Reads the value of Diagnostic-Code, still folded: the lines of a reply are told apart by their fold (RFC 3464 §2.3.6). */
export function parseDiagnostic(value: string): Diagnostic | undefined {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return undefined;
  const type = value.slice(0, semicolon).trim().toLowerCase();
  const lines = value
    .slice(semicolon + 1)
    .split(/\r?\n/)
    .map((line) => line.replace(/^[ \t]/, ''));
  const first = (lines[0] as string).trimStart();
  const reply = type === 'smtp' ? readReply([first, ...lines.slice(1)]) : undefined;
  return reply === undefined ? { type, text: [first, ...lines.slice(1)].join(' ').trim() } : { type: 'smtp', reply };
}

/** A fold that does not begin with the code again is one that a mailer made for width: it goes on with the line before. */
function readReply(lines: readonly string[]): Reply | undefined {
  const first = parseReplyLine(Buffer.from(lines[0] as string));
  if (first === undefined) return undefined;
  const texts: string[] = [];
  for (const line of lines) {
    const read = parseReplyLine(Buffer.from(line));
    const text = (read?.code === first.code ? read.text : line).trimEnd();
    if (read?.code === first.code) texts.push(text);
    else if (text !== '') texts[texts.length - 1] += ` ${text}`;
  }
  return joinReplyLines(first.code, texts);
}
