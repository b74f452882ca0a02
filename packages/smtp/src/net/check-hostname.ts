import { isDomain, parseLiteral } from '../address/domain.ts';
import { Failure } from '../failure/failure.ts';

/** Throws Failure `invalid` for a name that no server may greet with (RFC 5321 §4.3.1). */
export function checkHostname(hostname: string): void {
  if (isDomain(hostname) || parseLiteral(hostname) !== undefined) return;
  throw new Failure('invalid', `${hostname} is neither a domain nor an address literal`);
}
