import { parseBase64 } from '../bytes/base64.ts';
import { parseUtf8 } from '../bytes/utf8.ts';
import { leastIterations, mostIterations } from './scram-keys.ts';

/** What a client begins with (RFC 5802 §7). */
export interface ClientFirst {
  /** `n`: it knows no channel binding, `y`: it does and believes that the server does not, else the type that it uses. */
  readonly flag: 'n' | 'y' | { readonly type: string };
  readonly authorizeAs: string;
  readonly user: string;
  readonly nonce: string;
  /** The text up to what it signs, and what it signs. */
  readonly header: string;
  readonly bare: string;
}

/** What a client ends with (RFC 5802 §7). */
export interface ClientFinal {
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  /** All before the proof. */
  readonly withoutProof: string;
}

const nonceText = /^[\x21-\x2b\x2d-\x7e]{1,1024}$/;
const extension = /^[A-Za-z]=[^\0]/;

/** Writes `,` and `=` of a name so that they part nothing (RFC 5802 §5.1). */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function unescapeName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text) || text.includes('\0') || text === '') return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** The value of an attribute that has to stand here. */
function readValue(part: string | undefined, key: string): string | undefined {
  return part?.startsWith(`${key}=`) ? part.slice(2) : undefined;
}

/** Reads the first message; undefined when it is malformed, or needs an extension (RFC 5802 §7). */
export function parseClientFirst(message: Buffer): ClientFirst | undefined {
  const [flagText, authzid = '', ...rest] = (parseUtf8(message) ?? '').split(',');
  const flag = parseFlag(flagText ?? '');
  const authorizeAs = authzid === '' ? '' : unescapeName(readValue(authzid, 'a') ?? '');
  const [name, nonceValue, ...more] = rest;
  const user = unescapeName(readValue(name, 'n') ?? '');
  const nonce = readValue(nonceValue, 'r');
  if (flag === undefined || authorizeAs === undefined || user === undefined) return undefined;
  if (nonce === undefined || !nonceText.test(nonce) || !more.every((part) => extension.test(part))) return undefined;
  return { flag, authorizeAs, user, nonce, header: `${flagText},${authzid},`, bare: rest.join(',') };
}

function parseFlag(text: string): ClientFirst['flag'] | undefined {
  if (text === 'n' || text === 'y') return text;
  const type = readValue(text, 'p');
  return type !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(type) ? { type } : undefined;
}

/** Reads the final message; undefined when it is malformed (RFC 5802 §7). */
export function parseClientFinal(message: Buffer): ClientFinal | undefined {
  const text = parseUtf8(message) ?? '';
  const parts = text.split(',');
  const binding = parseBase64(readValue(parts[0], 'c') ?? '.');
  const nonce = readValue(parts[1], 'r');
  const proof = parseBase64(readValue(parts.length > 2 ? parts.at(-1) : undefined, 'p') ?? '.');
  if (binding === undefined || nonce === undefined || proof === undefined) return undefined;
  if (!parts.slice(2, -1).every((part) => extension.test(part))) return undefined;
  return { binding, nonce, proof, withoutProof: text.slice(0, text.lastIndexOf(',')) };
}

/** What a server answers to the first message (RFC 5802 §7). */
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** Writes a server's first message (RFC 5802 §7). */
export function formatServerFirst({ nonce, salt, iterations }: ServerFirst): string {
  return `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
}

/**
 * Reads a server's first message; undefined when it is malformed, needs an extension, or wants so few rounds that the
 * password could be guessed, or so many that it never ends (RFC 5802 §7, RFC 7677 §4).
 */
export function parseServerFirst(text: string): ServerFirst | undefined {
  const [nonceValue, saltValue, count, ...more] = text.split(',');
  const nonce = readValue(nonceValue, 'r');
  const salt = parseBase64(readValue(saltValue, 's') ?? '.');
  const digits = readValue(count, 'i') ?? '';
  if (nonce === undefined || !nonceText.test(nonce) || salt === undefined || salt.length === 0) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(digits) || !more.every((part) => extension.test(part))) return undefined;
  const iterations = Number(digits);
  return iterations < leastIterations || iterations > mostIterations ? undefined : { nonce, salt, iterations };
}
