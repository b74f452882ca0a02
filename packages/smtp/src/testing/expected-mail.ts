import { Failure } from '../failure/failure.ts';
import { matchesAddress, matchesText, type Pattern } from './mail-filter.ts';
import type { ReceivedMail } from './received-mail.ts';

/** What a mail is to be like: a string is the whole of what it is compared with, but a part of `text` and `html`. */
export interface ExpectedMail {
  /** The sender of the envelope, or the author in the header. */
  readonly from?: Pattern;
  /** A recipient of the envelope, or each of several. */
  readonly to?: Pattern | readonly Pattern[];
  readonly subject?: Pattern;
  /** What the plain text has in it. */
  readonly text?: Pattern;
  /** What the HTML has in it. */
  readonly html?: Pattern;
  /** A link that it has, or each of several. */
  readonly link?: Pattern | readonly Pattern[];
  readonly code?: Pattern;
  /** The name of a file that is attached, or each of several. */
  readonly attachment?: Pattern | readonly Pattern[];
  /** Fields of the header, by name; null: there is none of that name. */
  readonly headers?: Readonly<Record<string, Pattern | null>>;
}

/** Characters of a text that are shown. */
const longestShown = 300;

/** What a mail has that one thing is expected of, and whether that is among it. */
interface Comparison {
  readonly what: string;
  readonly expected: Pattern;
  readonly found: readonly string[];
  /** Why nothing was found. */
  readonly lack?: string;
  readonly is: (found: string, expected: Pattern) => boolean;
}

/** What is not as it is expected to be, a sentence for each; none when all is (the messages of a failed test). */
export function findMismatches(mail: ReceivedMail, expected: ExpectedMail): string[] {
  const mismatches = [...comparisons(mail, expected)].flatMap(({ what, expected: pattern, found, lack, is }) => {
    if (found.some((text) => is(text, pattern))) return [];
    const instead = found.length === 0 ? (lack ?? ' there is none') : ` found ${found.map(show).join(', ')}`;
    return `${what}: expected ${show(pattern)}, but${instead}`;
  });
  return [...mismatches, ...surplus(mail, expected)];
}

function* comparisons(mail: ReceivedMail, expected: ExpectedMail): Generator<Comparison, void, undefined> {
  const { envelope, from } = mail;
  const senders = from === undefined ? [envelope.from] : [...new Set([envelope.from, from.address])];
  const addresses = { found: senders, is: matchesAddress };
  if (expected.from !== undefined) yield { what: 'from', expected: expected.from, ...addresses };
  for (const to of listOf(expected.to)) yield { what: 'to', expected: to, found: envelope.to, is: matchesAddress };
  const texts = { subject: matchesText, text: containsText, html: containsText } as const;
  for (const what of ['subject', 'text', 'html'] as const) {
    const pattern = expected[what];
    if (pattern !== undefined) yield { what, expected: pattern, found: [mail[what]], is: texts[what] };
  }
  for (const link of listOf(expected.link)) yield { what: 'link', expected: link, found: mail.links, is: matchesText };
  if (expected.code !== undefined) yield { what: 'code', expected: expected.code, is: matchesText, ...codeOf(mail) };
  const files = mail.attachments.map(({ filename }) => filename ?? '');
  for (const name of listOf(expected.attachment))
    yield { what: 'attachment', expected: name, found: files, is: matchesText };
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    if (value !== null)
      yield { what: `header ${name}`, expected: value, found: mail.headers.all(name), is: matchesText };
  }
}

function surplus({ headers }: ReceivedMail, expected: ExpectedMail): string[] {
  return Object.entries(expected.headers ?? {}).flatMap(([name, value]) => {
    const found = value === null ? headers.all(name) : [];
    return found.length === 0 ? [] : `header ${name}: expected none, but found ${found.map(show).join(', ')}`;
  });
}

function codeOf(mail: ReceivedMail): Pick<Comparison, 'found' | 'lack'> {
  try {
    return { found: [mail.code()] };
  } catch (error) {
    if (error instanceof Failure) return { found: [], lack: `: ${error.message}` };
    throw error;
  }
}

function listOf(patterns: Pattern | readonly Pattern[] | undefined): readonly Pattern[] {
  if (patterns === undefined) return [];
  return typeof patterns === 'string' || patterns instanceof RegExp ? [patterns] : patterns;
}

function containsText(text: string, pattern: Pattern): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : matchesText(text, pattern);
}

function show(pattern: Pattern): string {
  if (typeof pattern !== 'string') return String(pattern);
  if (pattern.length <= longestShown) return JSON.stringify(pattern);
  return `${JSON.stringify(pattern.slice(0, longestShown))} … (${pattern.length} characters)`;
}
