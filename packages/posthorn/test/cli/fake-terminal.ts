import { PassThrough } from 'node:stream';
import type { Terminal } from '../../src/cli/terminal.ts';

/** A terminal in memory. */
export interface FakeTerminal extends Terminal {
  readonly stdin: PassThrough & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** All that was written to standard output, and to standard error. */
  readonly output: () => string;
  readonly said: () => string;
}

/** Makes one; `input` is all that standard input has. */
export function fakeTerminal(
  settings: { folder?: string; input?: string | Buffer; env?: Record<string, string>; interactive?: boolean } = {},
): FakeTerminal {
  const stdin = new PassThrough();
  if (settings.input !== undefined) stdin.end(settings.input);
  let output = '';
  let said = '';
  return {
    stdin,
    out: (text) => {
      output += text;
    },
    outOctets: (octets) => {
      output += octets.toString('latin1');
    },
    say: (text) => {
      said += text;
    },
    interactive: settings.interactive === true,
    env: settings.env ?? {},
    folder: settings.folder ?? '/nonexistent',
    output: () => output,
    said: () => said,
  };
}
