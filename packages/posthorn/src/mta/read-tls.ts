import { readFileSync } from 'node:fs';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { TlsSettings } from '@posthorn/smtp/net/server-tls';
import type { Config } from '../config/schema.ts';

/** The certificates of a configuration, if it has any. Throws Failure `tls` when they cannot be read. */
export function tlsOf({ tls }: Config): { tls?: TlsSettings } {
  if (tls === undefined) return {};
  const read = ({ cert, key }: { cert: string; key: string }) => ({ cert: readPem(cert), key: readPem(key) });
  const names = Object.entries(tls.names ?? {}).map(([name, files]) => [name, read(files)] as const);
  return { tls: { ...read(tls), names: Object.fromEntries(names), minVersion: tls.minVersion } };
}

/** Reads a file of certificates or keys. Throws Failure `tls`. */
export function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure('tls', `${path} cannot be read`, error);
  }
}
