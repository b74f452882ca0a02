import { generateKeyPairSync } from 'node:crypto';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { BodyDigests } from '../../src/authentication/body-digest.ts';
import { composeDkimSignature } from '../../src/authentication/compose-signature.ts';
import type { Lookups } from '../../src/authentication/lookups.ts';
import { formatKeyRecord, parseSigningKey, type SigningKey } from '../../src/authentication/signing-key.ts';
import { type DkimResult, DkimVerification } from '../../src/authentication/verify-dkim.ts';
import { createFixtureResolver } from '../../src/dns/fixture-resolver.ts';

/** When the tests sign and verify. */
export const time = Date.UTC(2026, 10, 25);

/** A private key in PEM. */
export function newPem(type: 'rsa' | 'ed25519', bits = 2048): string {
  const encoding = { format: 'pem', type: 'pkcs8' } as const;
  const { privateKey } =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: bits }) : generateKeyPairSync('ed25519');
  return privateKey.export(encoding).toString();
}

/** A key to sign with. */
export function newKey(type: 'rsa' | 'ed25519', { domain = 'example.com', selector = 'one' } = {}): SigningKey {
  const key = parseSigningKey(newPem(type), domain, selector);
  if (typeof key === 'string') throw new Error(key);
  return key;
}

/** The name system with the other halves of keys. */
export function resolverWith(...keys: readonly SigningKey[]): Lookups {
  const names = keys.map((key) => [`${key.selector}._domainkey.${key.domain}`, { txt: [formatKeyRecord(key)] }]);
  return createFixtureResolver(Object.fromEntries(names));
}

/** The message with a signature of each key on top. */
export function signed(message: string, ...keys: readonly SigningKey[]): string {
  const { header, body } = splitMessage(Buffer.from(message, 'latin1'));
  const fields = [...headerFields(header)];
  const digests = new BodyDigests();
  const digest = digests.of('relaxed');
  digests.write(body);
  return (
    keys.map((key) => composeDkimSignature({ fields, bodyHash: digest.digest, key, now: time })).join('') + message
  );
}

/** What is found of the signatures of a message, whose body comes in pieces of so many octets. */
export function verified(
  message: string,
  lookups: Pick<Lookups, 'txt'>,
  { piece = 65_536, now = time } = {},
): Promise<DkimResult[]> {
  const { header, body } = splitMessage(Buffer.from(message, 'latin1'));
  const digests = new BodyDigests();
  const verification = new DkimVerification([...headerFields(header)], digests, now);
  for (let at = 0; at < body.length; at += piece) digests.write(body.subarray(at, at + piece));
  return verification.results(lookups);
}
