import { Failure } from '../failure/failure.ts';

/** Refuses CR, LF and NUL, with which a value could add fields or a body of its own (RFC 5321 §2.3.8). Throws Failure `invalid`. */
export function requireClean(value: string, what: string): string {
  if (/[\r\n\0]/.test(value)) throw new Failure('invalid', `${what} must not contain CR, LF or NUL`);
  return value;
}
