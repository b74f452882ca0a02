import type { Text } from '@posthorn/smtp/client/text-source';
import type { Letter } from './letter.ts';
import type { Terminal } from './terminal.ts';

/** Smaller messages are gone before anyone could read a line about them. */
const worthShowing = 4 * 2 ** 20;
const between = 100;

/** The text of a letter; as a large one is read off, its progress is shown to a person who looks on. */
export function withProgress(letter: Letter, terminal: Terminal): { readonly text: Text; readonly end: () => void } {
  const { open, size } = letter;
  if (!terminal.interactive || size < worthShowing || typeof open !== 'function') return { text: open, end: () => {} };
  let shown = 0;
  async function* observed(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let sent = 0;
    for await (const piece of source) {
      yield piece;
      sent += piece.length;
      if (Date.now() - shown < between) continue;
      shown = Date.now();
      terminal.say(`\r\x1b[Ksending: ${inMegabytes(sent)} of ${inMegabytes(size)} MB`);
    }
  }
  return { text: () => observed(open()), end: () => shown > 0 && terminal.say('\r\x1b[K') };
}

function inMegabytes(octets: number): string {
  return (octets / 2 ** 20).toFixed(1);
}
