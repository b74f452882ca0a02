import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Lookups } from './lookups.ts';
import { parseTagList, withoutBlanks } from './tag-list.ts';

/** How a signature is made (RFC 6376 §3.3.2, RFC 8463 §3). */
export type SignatureAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/** A key that a domain signs with, as the name system has it (RFC 6376 §3.6.1). */
export interface PublicKey {
  readonly key: KeyObject;
  readonly type: 'rsa' | 'ed25519';
  /** Of RSA. */
  readonly bits: number;
  /** Whether the domain only tries it out. */
  readonly testing: boolean;
  /** Whether who signs must be of the very domain that signs, not of one below it. */
  readonly strict: boolean;
}

/** Why there is no key: for now, or for good. */
export interface NoKey {
  readonly error: 'temperror' | 'permerror';
  readonly reason: string;
}

/** Bits of RSA that a signature is believed with, at least (RFC 8301 §3.2). */
const leastBits = 1024;
/** Larger keys cost more time than a stranger may ask for. */
const mostBits = 8192;

/** Reads a key record; the text says what is wrong with it (RFC 6376 §3.6.1). */
export function parseKeyRecord(text: string): PublicKey | string {
  const tags = parseTagList(text);
  if (tags === undefined) return 'the key record is malformed';
  const version = tags.get('v');
  if (version !== undefined && (version !== 'DKIM1' || tags.keys().next().value !== 'v')) {
    return 'the key record is of another version';
  }
  const has = (tag: string, word: string) =>
    tags
      .get(tag)
      ?.split(':')
      .map((each) => each.trim())
      .includes(word);
  if (has('h', 'sha256') === false) return 'the key is for another hash';
  if (has('s', '*') === false && has('s', 'email') === false) return 'the key is not for mail';
  const type = tags.get('k') ?? 'rsa';
  if (type !== 'rsa' && type !== 'ed25519') return 'the key is of an unknown type';
  const octets = tags.get('p');
  if (octets === undefined) return 'the key record has no key';
  if (octets === '') return 'the key was revoked';
  const key = type === 'rsa' ? readRsa(withoutBlanks(octets)) : readEd25519(withoutBlanks(octets));
  if (key === undefined) return 'the key cannot be read';
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (type === 'rsa' && bits < leastBits) return `the key is too short: ${bits} bits`;
  if (type === 'rsa' && bits > mostBits) return `the key is too long: ${bits} bits`;
  return { key, type, bits, testing: has('t', 'y') === true, strict: has('t', 's') === true };
}

/** Looks up the key of a selector (RFC 6376 §3.6.2). */
export async function findKey(
  domain: string,
  selector: string,
  lookups: Pick<Lookups, 'txt'>,
): Promise<PublicKey | NoKey> {
  const answer = await lookups.txt(`${selector}._domainkey.${domain}`);
  if (answer.kind === 'failed') return { error: 'temperror', reason: 'the key cannot be looked up now' };
  const [text, second] = answer.kind === 'found' ? answer.records : [];
  if (text === undefined) return { error: 'permerror', reason: 'no key' };
  if (second !== undefined) return { error: 'permerror', reason: 'several keys' };
  const key = parseKeyRecord(text);
  return typeof key === 'string' ? { error: 'permerror', reason: key } : key;
}

/** Whether the signature of these octets was made with the key (RFC 6376 §6.1.3, RFC 8463 §3). */
export function isSignedBy({ key, type }: PublicKey, octets: Buffer, signature: Buffer): boolean {
  try {
    return type === 'rsa' ? verify('sha256', octets, key, signature) : verify(null, sha256(octets), key, signature);
  } catch {
    return false;
  }
}

/** The SHA-256 of octets. */
export function sha256(octets: Buffer): Buffer {
  return createHash('sha256').update(octets).digest();
}

/** Both forms of RSA keys are in use (RFC 6376 §3.6.1). */
function readRsa(text: string): KeyObject | undefined {
  if (!isBase64(text)) return undefined;
  const der = Buffer.from(text, 'base64');
  const key = readDer(der, 'spki') ?? readDer(der, 'pkcs1');
  return key?.asymmetricKeyType === 'rsa' ? key : undefined;
}

function readDer(key: Buffer, type: 'spki' | 'pkcs1'): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'der', type });
  } catch {
    return undefined;
  }
}

function readEd25519(text: string): KeyObject | undefined {
  const octets = Buffer.from(text, 'base64');
  if (!isBase64(text) || octets.length !== 32) return undefined;
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') }, format: 'jwk' });
}

function isBase64(text: string): boolean {
  return text.length <= 16_384 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}
