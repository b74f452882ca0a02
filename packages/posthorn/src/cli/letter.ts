import { isAscii } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Text } from '@posthorn/smtp/client/text-source';
import { Exit } from './exit.ts';
import type { Terminal } from './terminal.ts';

/** A message to be sent, and what has to be said about it before. */
export interface Letter {
  /** Octets as they go out, with CRLF line ends. */
  readonly size: number;
  readonly eightBit: boolean;
  readonly open: Text;
}

/** What standard input may hold: it cannot be read twice, so it is kept. */
const mostInput = 128 * 2 ** 20;

/** Reads through a message in a file, or in standard input for `-`. Throws Exit when it cannot be read. */
export async function readLetter(file: string, terminal: Terminal): Promise<Letter> {
  if (file === '-') return letterOf(await readInput(terminal));
  const path = resolve(terminal.folder, file);
  const survey = new Survey();
  try {
    const handle = await open(path);
    for await (const piece of handle.createReadStream() as AsyncIterable<Buffer>) survey.write(piece);
  } catch (error) {
    throw new Exit(`--data: ${(error as Error).message}. Name a file that may be read, or - for standard input.`);
  }
  return { ...survey.result, open: () => createReadStream(path) };
}

function letterOf(bytes: Buffer): Letter {
  const survey = new Survey();
  survey.write(bytes);
  return { ...survey.result, open: bytes };
}

/** All of standard input. Throws Exit when it is more than 128 MB. */
export async function readInput({ stdin }: Terminal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdin as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostInput) throw new Exit('--data: more than 128 MB from standard input. Put it into a file.');
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Counts octets as they will be with CRLF line ends, and looks for those beyond ASCII. */
class Survey {
  #size = 0;
  #eightBit = false;
  #afterCr = false;

  write(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#eightBit ||= !isAscii(piece);
    this.#size += piece.length;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) {
      const hasCr = at === 0 ? this.#afterCr : piece[at - 1] === 13;
      if (!hasCr) this.#size += 1;
    }
    this.#afterCr = piece[piece.length - 1] === 13;
  }

  get result(): { readonly size: number; readonly eightBit: boolean } {
    return { size: this.#size, eightBit: this.#eightBit };
  }
}
