import { randomBytes } from 'node:crypto';
import { prepareText } from '@posthorn/smtp/sasl/prepare';
import { formatScramKeys, keysOf, type ScramHash, saltPassword, usualIterations } from '@posthorn/smtp/sasl/scram-keys';

const saltSize = 16;

/** What is kept of a password for SCRAM, with a fresh salt; undefined for one that SCRAM cannot carry (RFC 5803 §2). */
export function hashForScram(password: string, hash: ScramHash = 'SHA-256'): string | undefined {
  const prepared = prepareText(password);
  if (prepared === undefined) return undefined;
  const salting = { salt: randomBytes(saltSize), iterations: usualIterations };
  return formatScramKeys(hash, keysOf(hash, saltPassword(hash, prepared, salting), salting));
}
