import { createHash, timingSafeEqual } from 'node:crypto';
import { parseBase64 } from '../bytes/base64.ts';

/** The fewest and most octets that a secret may have: 128 to 1024 bits (RFC 3885 §3.1). */
const longestSecret = 128;
/** Octets of a secret of ours: 144 bits, and base64 of them needs no padding. */
const ownSecret = 18;

/** Makes a secret for one message; `random` gives octets that nobody can guess (RFC 3885 §3.1). */
export function composeTrackingSecret(random: (octets: number) => Buffer): Buffer {
  return random(ownSecret);
}

/**
 * Reads a secret in base64, with or without its padding; undefined when it is none or longer than 1024 bits. A short one
 * is read: its sender alone has the harm of it (RFC 3885 §3.1, RFC 3887 §4).
 */
export function parseTrackingSecret(text: string): Buffer | undefined {
  if (text.length > 2 * longestSecret) return undefined;
  const secret = parseBase64(padded(text));
  return secret !== undefined && secret.length > 0 && secret.length <= longestSecret ? secret : undefined;
}

/** Writes a secret in base64 without padding (RFC 3885 §1). */
export function formatTrackingSecret(secret: Buffer): string {
  return withoutPadding(secret.toString('base64'));
}

/** What MAIL says of a secret: its SHA-1 in base64 without padding, 27 characters (RFC 3885 §3.1). */
export function certifierOf(secret: Buffer): string {
  return withoutPadding(createHash('sha1').update(secret).digest('base64'));
}

/** Whether a certifier belongs to a secret; takes the same time for each wrong one (RFC 3887 §4). */
export function isCertifierOf(certifier: string, secret: Buffer): boolean {
  const expected = Buffer.from(certifierOf(secret));
  const given = Buffer.from(certifier);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function padded(text: string): string {
  return text.endsWith('=') ? text : text + '='.repeat((4 - (text.length % 4)) % 4);
}

function withoutPadding(text: string): string {
  return text.replace(/=+$/, '');
}
