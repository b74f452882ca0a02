import { isUtf8 } from 'node:buffer';
import { isIPv4, isIPv6 } from 'node:net';
import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import type { RecordType, RecordValues } from './lookup.ts';

const printable = /^[!-~]{1,255}$/;

const readers: { readonly [T in RecordType]: (data: unknown) => RecordValues[T] | undefined } = {
  A: (data) => (typeof data === 'string' && isIPv4(data) ? data : undefined),
  AAAA: (data) => (typeof data === 'string' && isIPv6(data) ? data : undefined),
  MX: readMailExchanger,
  TXT: readText,
  PTR: readName,
  CNAME: readName,
  TLSA: readTlsa,
};

/** The data of a record as its type reads; undefined when it is faulty (RFC 1035 §3.3). */
export function recordValue<T extends RecordType>(type: T, data: unknown): RecordValues[T] | undefined {
  return readers[type](data);
}

/**
 * A faulty exchange is kept as `?`, which no host is named: without it, the domain would seem to have no exchanger, and
 * its own address would be used (RFC 5321 §5.1).
 */
function readMailExchanger(data: unknown): RecordValues['MX'] {
  const { preference = 0, exchange } = data as { preference?: number; exchange?: unknown };
  return { preference, exchange: readName(exchange) ?? '?' };
}

function readName(data: unknown): string | undefined {
  return typeof data === 'string' && printable.test(data) ? data.toLowerCase() : undefined;
}

/** The strings of one record without anything between them (RFC 7208 §3.3). */
function readText(data: unknown): string | undefined {
  const pieces = Array.isArray(data) ? data.filter((piece): piece is Buffer => Buffer.isBuffer(piece)) : [];
  const bytes = Buffer.concat(pieces);
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** Whether it is of use is for who checks certificates to say (RFC 6698 §2.1). */
function readTlsa(data: unknown): TlsaRecord | undefined {
  const { usage, selector, matchingType, certificate } = data as Partial<Record<string, unknown>>;
  if (typeof usage !== 'number' || typeof selector !== 'number' || typeof matchingType !== 'number') return undefined;
  return Buffer.isBuffer(certificate) ? { usage, selector, matchingType, data: Buffer.from(certificate) } : undefined;
}
