import type { Readable } from 'node:stream';
import { Exit } from './exit.ts';
import type { Terminal } from './terminal.ts';

const longest = 1024;
const [ctrlC, ctrlD, backspace] = ['\u0003', '\u0004', '\u007f'];

/** The first line of a stream, without its end. Throws Exit when it is too long. */
export async function readLine(input: Readable): Promise<string> {
  let text = '';
  for await (const piece of input.setEncoding('utf8') as AsyncIterable<string>) {
    text += piece;
    if (text.includes('\n') || text.length > longest) break;
  }
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (line.length > longest) throw new Exit(`A password has at most ${longest} characters.`);
  return line;
}

/** Asks a person for a secret, which is not shown. */
export async function readSecret(prompt: string, { stdin, say }: Terminal): Promise<string> {
  say(prompt);
  stdin.setRawMode?.(true);
  try {
    return await typed(stdin);
  } finally {
    stdin.setRawMode?.(false);
    stdin.pause();
    say('\n');
  }
}

function typed(stdin: Terminal['stdin']): Promise<string> {
  return new Promise((resolve, reject) => {
    let secret = '';
    const end = (settle: () => void) => {
      stdin.off('data', onData).off('end', onEnd);
      settle();
    };
    const onEnd = () => end(() => resolve(secret));
    const onData = (piece: string | Buffer) => {
      for (const character of piece.toString()) {
        if (character === ctrlC) return end(() => reject(new Exit('')));
        if (character === '\r' || character === '\n' || character === ctrlD) return onEnd();
        if (character === backspace || character === '\b') secret = [...secret].slice(0, -1).join('');
        else if (secret.length < longest) secret += character;
      }
    };
    stdin.on('data', onData).on('end', onEnd);
    stdin.resume();
  });
}
