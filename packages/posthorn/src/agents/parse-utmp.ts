/** Somebody who is logged in, and the device of the terminal, below /dev. */
export interface LoggedIn {
  readonly user: string;
  readonly line: string;
}

/** How this machine lays out a record of utmp: utmp(5). */
export interface UtmpLayout {
  /** Octets of a record. */
  readonly size: number;
  readonly littleEndian: boolean;
}

/** The kind of record that stands for a login: USER_PROCESS. */
const userProcess = 7;
const line = { at: 8, length: 32 };
const user = { at: 44, length: 32 };
/** A device below /dev; no name from the file leads anywhere else. */
const safeLine = /^[a-z0-9]+(?:\/[a-z0-9]+){0,3}$/i;

/** The layout of records by architecture: where times have 64 bits, records are longer. */
export function utmpLayoutOf(architecture: string, littleEndian: boolean): UtmpLayout {
  return { size: architecture === 'arm64' || architecture === 'loong64' ? 400 : 384, littleEndian };
}

/** Reads who is logged in from utmp; records of other kinds, and what is no whole record, are passed over: utmp(5). */
export function parseUtmp(bytes: Buffer, { size, littleEndian }: UtmpLayout): LoggedIn[] {
  const found: LoggedIn[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    const kind = littleEndian ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
    if (kind !== userProcess) continue;
    const entry = { user: readText(bytes, at, user), line: readText(bytes, at, line) };
    if (entry.user !== '' && safeLine.test(entry.line)) found.push(entry);
  }
  return found;
}

/** Text in a field of fixed length, ended by NUL unless it fills the field. */
function readText(bytes: Buffer, record: number, field: { readonly at: number; readonly length: number }): string {
  const octets = bytes.subarray(record + field.at, record + field.at + field.length);
  const end = octets.indexOf(0);
  return octets.toString('latin1', 0, end === -1 ? field.length : end);
}
