import { statSync } from 'node:fs';
import { parseSigningKey, type SigningKey } from '../authentication/signing-key.ts';
import type { SigningKeyConfig } from './mail-authentication-fields.ts';
import type { Mistake } from './mistake.ts';
import { readTextFile } from './read-text-file.ts';
import type { Config } from './schema.ts';

/** The keys of a configuration, or what is wrong with them. */
export interface SigningKeys {
  readonly sign: readonly SigningKey[];
  readonly seal: SigningKey | undefined;
  readonly mistakes: readonly Mistake[];
}

/** Reads the keys that mail is signed with from their files, which strangers on this machine must not read (RFC 6376 §8.3). */
export function readSigningKeys({ mailAuthentication }: Pick<Config, 'mailAuthentication'>): SigningKeys {
  const mistakes: Mistake[] = [];
  const read = (config: SigningKeyConfig, path: string): SigningKey[] => {
    const key = readKey(config, `${path}.key`);
    if ('message' in key) mistakes.push(key);
    return 'message' in key ? [] : [key];
  };
  const { dkim, arc } = mailAuthentication;
  const sign = dkim.sign.flatMap((config, index) => read(config, `mailAuthentication.dkim.sign[${index}]`));
  const [seal] = arc.seal === undefined ? [] : read(arc.seal, 'mailAuthentication.arc.seal');
  return { sign, seal, mistakes };
}

function readKey({ domain, selector, key }: SigningKeyConfig, path: string): SigningKey | Mistake {
  const file = readTextFile(key);
  if ('reason' in file) {
    const remedy = 'Correct the path, or make a key with `posthorn dkim keygen`.';
    return { path, message: `cannot be read: ${key}: ${file.reason}`, remedy };
  }
  if ((statSync(key).mode & 0o007) !== 0) {
    return { path, message: `may be used by everybody on this host: ${key}`, remedy: `Run \`chmod 600 ${key}\`.` };
  }
  const parsed = parseSigningKey(file.text, domain, selector.toLowerCase());
  if (typeof parsed !== 'string') return parsed;
  return { path, message: parsed, remedy: 'Name the PEM file of an RSA or Ed25519 key.' };
}
