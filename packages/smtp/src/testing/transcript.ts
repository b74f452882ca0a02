/** One line of a session, or what happened to it. */
export interface TranscriptLine {
  /** Counts the sessions of an inbox from 1. */
  readonly session: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who said it; `inbox` for what was no line: TLS, trouble, a text and its octets, the end. */
  readonly by: 'client' | 'server' | 'inbox';
  /** Without line end. */
  readonly text: string;
}

/** Lines that are kept; the oldest go first. */
const mostLines = 20_000;
/** Refusals that are told to whoever waits in vain. */
const mostRefusals = 5;

/** What was said in the sessions of an inbox (RFC 5321 §2.3.8). */
export class Transcript {
  /** The last negative replies. */
  refusals: readonly string[] = [];
  #lines: TranscriptLine[] = [];

  add(line: TranscriptLine): void {
    this.#lines.push(line);
    if (this.#lines.length > mostLines * 2) this.#lines = this.#lines.slice(-mostLines);
    const isRefusal = line.by === 'server' && /^[45]/.test(line.text);
    if (isRefusal) this.refusals = [...this.refusals.slice(1 - mostRefusals), line.text];
  }

  /** All lines, or those of one session, as they stand now. */
  lines(session?: number): TranscriptLine[] {
    return this.#lines.filter((line) => session === undefined || line.session === session);
  }

  clear(): void {
    this.#lines = [];
    this.refusals = [];
  }
}

/** A transcript to read: `C:` and `S:` before what was said, `*` before what happened. */
export function formatTranscript(lines: readonly TranscriptLine[]): string {
  const marks = { client: 'C:', server: 'S:', inbox: '* ' };
  return lines.map(({ by, text }) => `${marks[by]} ${text}`).join('\n');
}
