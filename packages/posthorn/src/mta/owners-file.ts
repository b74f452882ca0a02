import { statSync } from 'node:fs';
import { parseTimestamp } from '@posthorn/smtp/bytes/timestamp';
import { Failure } from '@posthorn/smtp/failure/failure';
import { readTextFile } from '../config/read-text-file.ts';

/** When somebody got a mailbox, in milliseconds since the epoch; `unknown` when that may have been at any time. */
export type OwnerSince = number | 'unknown';

interface Read {
  /** What tells the file from what it was before. */
  readonly mark: string;
  readonly owners: ReadonlyMap<string, OwnerSince>;
}

/** A file that says which mailboxes got another owner, and when; it is read again when it was changed. */
export class OwnersFile {
  readonly #path: string;
  readonly #keyOf: (name: string) => string;
  #read: Read | undefined;

  /** `keyOf` gives the one form of all ways to write a name. */
  constructor(path: string, keyOf: (name: string) => string) {
    this.#path = path;
    this.#keyOf = keyOf;
  }

  /** Undefined for a mailbox that is not in it. Throws Failure `storage` when the file cannot be read (RFC 7293 §5). */
  since(key: string): OwnerSince | undefined {
    const mark = this.#mark();
    if (mark === undefined || this.#read?.mark !== mark) this.#read = { mark: mark ?? '', owners: this.#readAll() };
    return this.#read.owners.get(key);
  }

  #mark(): string | undefined {
    const info = statSync(this.#path, { throwIfNoEntry: false });
    return info && `${info.ino} ${info.mtimeMs} ${info.size}`;
  }

  /** `name day` a line, or `name unknown`; `#` begins a remark. What is neither is passed over. */
  #readAll(): Map<string, OwnerSince> {
    const file = readTextFile(this.#path);
    if ('reason' in file) throw new Failure('storage', `${this.#path} cannot be read: ${file.reason}`);
    const owners = new Map<string, OwnerSince>();
    for (const line of file.text.split('\n')) {
      const end = line.indexOf('#');
      const [name, day] = (end < 0 ? line : line.slice(0, end)).split(/[ \t\r]/).filter((word) => word !== '');
      const since = day === undefined || day === 'unknown' ? day : readDay(day);
      if (name !== undefined && since !== undefined) owners.set(this.#keyOf(name), since);
    }
    return owners;
  }
}

/** A day, or a moment of it. */
function readDay(text: string): number | undefined {
  return parseTimestamp(text) ?? parseTimestamp(`${text}T00:00:00Z`);
}
