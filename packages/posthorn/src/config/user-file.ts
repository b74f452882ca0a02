import { parsePasswordHash } from './password.ts';
import { type Config, userSchema } from './schema.ts';

type User = Config['users'][string];

/** A user as one line of a file has it. */
export interface FileUser {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  readonly user: User;
}

/** What a file of users holds, and its lines that are faulty. */
export interface UserFile {
  readonly users: readonly FileUser[];
  readonly mistakes: readonly { readonly line: number; readonly message: string }[];
}

/** What `posthorn user` writes into a line. */
export interface UserLine {
  readonly name: string;
  readonly password?: string;
  readonly scramKeys: readonly string[];
  readonly certificates: readonly string[];
  readonly ntHash?: string;
  readonly addresses: readonly string[];
}

const loginText = /^[^\s\0-\x1f\x7f#]{1,255}$/;
const mostMistakes = 100;

/**
 * Reads a file of users: a line each, with the login and words behind it in any order: `scrypt:…`, `SCRAM-SHA-256$…`,
 * `certificate:fingerprint`, `nt:hash`, and addresses that the user may send as. `#` at the beginning of a line makes a remark.
 */
export function parseUserFile(text: string): UserFile {
  const users = new Map<string, FileUser>();
  const mistakes: { line: number; message: string }[] = [];
  const fail = (line: number, message: string) => mistakes.length < mostMistakes && mistakes.push({ line, message });
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1;
    const words = wordsOf(row);
    if (words.length === 0) continue;
    const read = readUser(words);
    if (typeof read === 'string') fail(line, read);
    else if (users.has(read.name)) fail(line, `names ${read.name} again`);
    else users.set(read.name, { ...read, line });
  }
  return { users: [...users.values()], mistakes };
}

function wordsOf(row: string): string[] {
  if (row.trimStart().startsWith('#')) return [];
  return row.split(/[ \t\r]/).filter((word) => word !== '');
}

/** The words are not shown: any of them may be a password that stands there by mistake. */
function readUser([name = '', ...words]: readonly string[]): { name: string; user: User } | string {
  if (!loginText.test(name)) return 'begins with no login';
  const line = sortWords(name, words);
  if (line === undefined) return 'has a word that is no hash, key, certificate or address';
  const { name: _, ...fields } = line;
  const checked = userSchema.safeParse(fields);
  return checked.success ? { name, user: checked.data } : 'has a hash, key, certificate or address that is faulty';
}

function sortWords(name: string, words: readonly string[]): UserLine | undefined {
  const line = { scramKeys: [] as string[], certificates: [] as string[], addresses: [] as string[] };
  let password: string | undefined;
  let ntHash: string | undefined;
  for (const word of words) {
    if (word.startsWith('scrypt:') && password === undefined && parsePasswordHash(word)) password = word;
    else if (word.startsWith('SCRAM-')) line.scramKeys.push(word);
    else if (word.startsWith('certificate:')) line.certificates.push(word.slice('certificate:'.length));
    else if (word.startsWith('nt:') && ntHash === undefined) ntHash = word.slice('nt:'.length);
    else if (word.includes('@')) line.addresses.push(word);
    else return undefined;
  }
  return {
    name,
    ...line,
    ...(password === undefined ? {} : { password }),
    ...(ntHash === undefined ? {} : { ntHash }),
  };
}

/** Writes a user as a line of a file, without the end of the line. */
export function formatUserLine({ name, password, scramKeys, certificates, ntHash, addresses }: UserLine): string {
  const words = [
    name,
    ...(password === undefined ? [] : [password]),
    ...scramKeys,
    ...certificates.map((each) => `certificate:${each}`),
    ...(ntHash === undefined ? [] : [`nt:${ntHash}`]),
    ...addresses,
  ];
  return words.join(' ');
}

/** The text of a file with the line of a user replaced, added at its end, or taken out; all else stays as it is. */
export function withUserLine(text: string, name: string, line: string | undefined): string {
  const rows = text.split('\n');
  const at = rows.findIndex((row) => wordsOf(row)[0] === name);
  if (at >= 0) rows.splice(at, 1, ...(line === undefined ? [] : [line]));
  else if (line !== undefined) {
    if (rows.at(-1) === '') rows.pop();
    rows.push(line, '');
  }
  return rows.join('\n');
}
