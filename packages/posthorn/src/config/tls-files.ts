import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { formatPath, type Mistake } from './mistake.ts';
import type { Config } from './schema.ts';

/** Whether the certificates and their keys can be read and belong together (RFC 3207 §4). */
export async function tlsFileMistakes(tls: Config['tls']): Promise<Mistake[]> {
  if (tls === undefined) return [];
  const named = Object.entries(tls.names ?? {}).map(([name, files]) => fileMistakes(['tls', 'names', name], files));
  return (await Promise.all([fileMistakes(['tls'], tls), ...named])).flat();
}

async function fileMistakes(place: readonly string[], files: { cert: string; key: string }): Promise<Mistake[]> {
  const [certPath, keyPath] = [formatPath([...place, 'cert']), formatPath([...place, 'key'])];
  const [cert, key] = await Promise.all([readPem(certPath, files.cert), readPem(keyPath, files.key)]);
  if (typeof cert !== 'string' || typeof key !== 'string')
    return [cert, key].filter((read) => typeof read !== 'string');
  const single = [
    ...whyUnusable(certPath, { cert }, 'Name the PEM file of the certificate and its chain.'),
    ...whyUnusable(keyPath, { key }, 'Name the PEM file of the private key, without a pass phrase.'),
  ];
  if (single.length > 0) return single;
  return whyUnusable(keyPath, { cert, key }, 'Name the key that the certificate was made for.');
}

/** Whether the authorities that are trusted can be read. */
export async function authorityMistakes(file: string | undefined): Promise<Mistake[]> {
  if (file === undefined) return [];
  const ca = await readPem('authorities', file);
  if (typeof ca !== 'string') return [ca];
  const isPem = ca.includes('-----BEGIN CERTIFICATE-----');
  const message = 'cannot be used: there is no certificate in it';
  const remedy = 'Name a PEM file with the certificates of the authorities.';
  return isPem ? whyUnusable('authorities', { ca }, remedy) : [{ path: 'authorities', message, remedy }];
}

async function readPem(path: string, file: string): Promise<string | Mistake> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read' : message;
    return {
      path,
      message: `cannot be read: ${file}: ${reason}`,
      remedy: 'Correct the path, or who may read the file.',
    };
  }
}

function whyUnusable(path: string, part: { cert?: string; key?: string; ca?: string }, remedy: string): Mistake[] {
  try {
    createSecureContext(part);
    return [];
  } catch (error) {
    return [{ path, message: `cannot be used: ${(error as Error).message}`, remedy }];
  }
}
