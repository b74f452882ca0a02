import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { parseBase64 } from '../bytes/base64.ts';

/** The hash functions of SCRAM that are served (RFC 5802 §4, RFC 7677 §2). */
export type ScramHash = 'SHA-1' | 'SHA-256';

/** What a server keeps of a password for SCRAM: enough to recognize it, too little to log in elsewhere (RFC 5802 §3). */
export interface ScramKeys {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Octets of keys and signatures. */
const scramSizes: Readonly<Record<ScramHash, number>> = { 'SHA-1': 20, 'SHA-256': 32 };

/** Fewer rounds are too easy to guess (RFC 7677 §4). */
export const leastIterations = 4096;
/** More rounds take too long. */
export const mostIterations = 600_000;

const digests = { 'SHA-1': 'sha1', 'SHA-256': 'sha256' } as const;
const saltSize = 16;
/** What users have where nothing else is said; what is invented has to look the same. */
export const usualIterations = 10_000;

/** HMAC, as SCRAM names it (RFC 5802 §2.2). */
export function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(digests[hash], key).update(text).digest();
}

/** H, as SCRAM names it (RFC 5802 §2.2). */
export function digest(hash: ScramHash, octets: Buffer): Buffer {
  return createHash(digests[hash]).update(octets).digest();
}

/** Hi: what the password becomes with its salt; takes its time, in the caller's thread (RFC 5802 §2.2). */
export function saltPassword(
  hash: ScramHash,
  password: string,
  { salt, iterations }: Pick<ScramKeys, 'salt' | 'iterations'>,
): Buffer {
  return pbkdf2Sync(password, salt, iterations, scramSizes[hash], digests[hash]);
}

/** What a server keeps of a salted password (RFC 5802 §3). */
export function keysOf(
  hash: ScramHash,
  salted: Buffer,
  { salt, iterations }: Pick<ScramKeys, 'salt' | 'iterations'>,
): ScramKeys {
  const storedKey = digest(hash, hmac(hash, salted, 'Client Key'));
  return { salt, iterations, storedKey, serverKey: hmac(hash, salted, 'Server Key') };
}

/**
 * Keys that nobody knows a password for: always the same for a user, so that who asks twice learns nothing. `secret`: 32
 * octets or more that only the server knows.
 */
export function inventKeys(hash: ScramHash, user: string, secret: Buffer): ScramKeys {
  const part = (name: string) => hmac('SHA-256', secret, `${name}\0${hash}\0${user}`).subarray(0, scramSizes[hash]);
  const salt = part('salt').subarray(0, saltSize);
  return { salt, iterations: usualIterations, storedKey: part('stored'), serverKey: part('server') };
}

/** Writes keys as `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` (RFC 5803 §2). */
export function formatScramKeys(hash: ScramHash, { salt, iterations, storedKey, serverKey }: ScramKeys): string {
  const [first, second, third] = [salt, storedKey, serverKey].map((part) => part.toString('base64'));
  return `SCRAM-${hash}$${iterations}:${first}$${second}:${third}`;
}

/** Reads what `formatScramKeys` wrote; undefined for all else, and for fewer than 4096 or more than 600,000 iterations (RFC 5803 §2). */
export function parseScramKeys(text: string): { readonly hash: ScramHash; readonly keys: ScramKeys } | undefined {
  const match = /^SCRAM-(SHA-1|SHA-256)\$(\d{4,6}):([^$:]{4,128})\$([^$:]{28,44}):([^$:]{28,44})$/.exec(text);
  if (match === null) return undefined;
  const hash = match[1] as ScramHash;
  const iterations = Number(match[2]);
  const [salt, storedKey, serverKey] = match.slice(3).map(parseBase64);
  if (salt === undefined || storedKey?.length !== scramSizes[hash] || serverKey?.length !== scramSizes[hash]) {
    return undefined;
  }
  if (iterations < leastIterations || iterations > mostIterations) return undefined;
  return { hash, keys: { salt, iterations, storedKey, serverKey } };
}
