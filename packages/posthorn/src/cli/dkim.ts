import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { Command } from 'commander';
import { formatKeyRecord, parseSigningKey } from '../authentication/signing-key.ts';
import { Exit } from './exit.ts';
import type { Terminal } from './terminal.ts';

interface KeygenOptions {
  readonly type: string;
  readonly folder: string;
}

/** Bits of new RSA keys (RFC 8301 §3.2). */
const bits = 2048;
/** Characters of one string of a TXT record (RFC 1035 §3.3). */
const longestString = 255;

/** `posthorn dkim`: makes keys that mail is signed with. */
export function addDkim(program: Command, terminal: Terminal): void {
  program
    .command('dkim')
    .description('work with the keys that mail is signed with')
    .command('keygen <domain> <selector>')
    .description('make a key, and say what the name system and the configuration have to have of it')
    .option('--type <type>', 'rsa or ed25519; some hosts know only rsa, so a domain has one of each at best', 'rsa')
    .option('--folder <folder>', 'where the file of the key is put', '.')
    .action((domain: string, selector: string, options: KeygenOptions) =>
      keygen({ domain, selector }, options, terminal),
    );
}

async function keygen(
  named: { readonly domain: string; readonly selector: string },
  { type, folder }: KeygenOptions,
  terminal: Terminal,
): Promise<void> {
  const domain = normalizeDomain(named.domain);
  const selector = named.selector.toLowerCase();
  if (domain === undefined || domain.startsWith('[')) throw new Exit(`${named.domain} is no domain.`);
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(selector)) {
    throw new Exit(`${named.selector} is no selector. Use letters, digits and hyphens, such as mail2026.`);
  }
  const pem = newPem(type);
  const key = parseSigningKey(pem, domain, selector);
  if (typeof key === 'string') throw new Exit(`The key ${key}.`);
  const file = resolve(terminal.folder, join(folder, `${selector}.${domain}.pem`));
  await writeKey(file, pem);
  const entry = JSON.stringify({ domain, selector, key: file });
  terminal.say(`The key is in ${file}, for its owner alone.\n`);
  terminal.out(`; for the zone of ${domain}\n${zoneLine(`${selector}._domainkey.${domain}.`, formatKeyRecord(key))}\n`);
  terminal.out(`// for the configuration\n"mailAuthentication": { "dkim": { "sign": [${entry}] } }\n`);
}

function newPem(type: string): string {
  const encoding = { format: 'pem', type: 'pkcs8' } as const;
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export(encoding).toString();
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey.export(encoding).toString();
  throw new Exit(`${type} is no type of key. Use rsa or ed25519.`);
}

/** A key that is in use must not be lost to another one: what is there stays. */
async function writeKey(file: string, pem: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Exit(code === 'EEXIST' ? `${file} is there already. Choose another selector.` : message);
  }
}

function zoneLine(name: string, record: string): string {
  const strings: string[] = [];
  for (let at = 0; at < record.length; at += longestString) strings.push(`"${record.slice(at, at + longestString)}"`);
  return `${name} IN TXT ( ${strings.join(' ')} )`;
}
