import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GreyEntry } from './greylist.ts';

/** Lines that the file may have beyond the entries before it is written anew. */
const mostStale = 20_000;
/** Entries that wait for a disk that is slow; more are forgotten when the process ends. */
const mostPending = 50_000;

/** What a file of greylisting works with. */
export interface GreylistFileParts {
  readonly path: string;
  /** What is to stay when it is written anew. */
  readonly entries: () => Iterable<GreyEntry>;
  /** Is told once in a row that nothing can be written: greylisting goes on in memory. */
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps what greylisting knows: a line for each change, written behind the decision and not waited for. What a crash takes
 * makes some hosts wait once more, and nobody lose anything.
 */
export class GreylistFile {
  readonly #parts: GreylistFileParts;
  #lines: number;
  /** Lines at which it is written anew. */
  #most: number;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #hasFailed = false;

  constructor(parts: GreylistFileParts, lines: number) {
    this.#parts = parts;
    this.#lines = lines;
    this.#most = lines + mostStale;
  }

  add(entry: GreyEntry): void {
    if (this.#pending.length >= mostPending) return;
    this.#pending.push(formatEntry(entry));
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #write(): Promise<void> {
    // All that is decided in this turn goes in one write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const lines = this.#pending.splice(0);
      try {
        if (this.#lines >= this.#most) await this.#rewrite();
        else await this.#append(lines);
        this.#hasFailed = false;
      } catch (error) {
        if (!this.#hasFailed) this.#parts.onError(error);
        this.#hasFailed = true;
      }
    }
  }

  async #append(lines: readonly string[]): Promise<void> {
    this.#file ??= await openToAppend(this.#parts.path);
    this.#lines += lines.length;
    await this.#file.appendFile(lines.join(''));
  }

  async #rewrite(): Promise<void> {
    const { path, entries } = this.#parts;
    await this.#file?.close();
    this.#file = undefined;
    const lines = [...entries()].map(formatEntry);
    const fresh = await open(`${path}.new`, 'w', 0o600);
    try {
      await fresh.writeFile(lines.join(''));
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${path}.new`, path);
    this.#lines = lines.length;
    this.#most = lines.length + mostStale;
  }
}

/** Reads what was kept; what is no entry, such as a line that a crash cut off, is left out. */
export async function readGreylist(path: string): Promise<{ readonly entries: GreyEntry[]; readonly lines: number }> {
  const text = await readFile(path, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  return { entries: lines.flatMap(parseEntry), lines: lines.length };
}

async function openToAppend(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  // The last line may have been cut off by a crash.
  await file.appendFile('\n');
  return file;
}

function formatEntry({ key, kind, at }: GreyEntry): string {
  return `${key} ${kind} ${at}\n`;
}

function parseEntry(line: string): GreyEntry[] {
  const [, key, kind, at] = /^([ct][\w-]{22}) (tried|passed) (\d{1,16})$/.exec(line) ?? [];
  if (key === undefined || kind === undefined) return [];
  return [{ key, kind: kind as GreyEntry['kind'], at: Number(at) }];
}
