import { Failure, type FailureKind } from '../failure/failure.ts';

const kinds: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
  ENOENT: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EINVAL: 'unreachable',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EMFILE: 'limit',
  ENFILE: 'limit',
};

/** The error code that Node gives to system and TLS errors; empty when there is none. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Gives an error of a socket its kind; a Failure stays what it is. */
export function socketFailure(error: unknown, what: string): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error);
  const kind = kinds[code] ?? (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'tls' : 'lost');
  return new Failure(kind, `${what}: ${error instanceof Error ? error.message || code : String(error)}`, error);
}
