import type { Readable } from 'node:stream';

/** What a command reads from and writes to. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** Results; for programs that read them. */
  out(text: string): void;
  /** Results that are no text. */
  outOctets(octets: Buffer): void;
  /** What is said to a person. */
  say(text: string): void;
  /** Whether `say` reaches a person who sees lines being overwritten. */
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths count from. */
  readonly folder: string;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // A reader that has seen enough closes its end: that is no fault of ours.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  return {
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    outOctets: (octets) => void process.stdout.write(octets),
    say: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY === true,
    env: process.env,
    folder: process.cwd(),
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Text from elsewhere as it may be shown: nothing in it can move the cursor, hide or reorder what is shown. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}
