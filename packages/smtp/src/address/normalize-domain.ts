import { domainToASCII } from 'node:url';
import { formatLiteral, isDomain, parseLiteral } from './domain.ts';

const ascii = /^[\x20-\x7e]*$/;

/**
 * A domain in the one form it is compared in, lower-case A-labels; a literal with its IP address in lower case. Undefined
 * when it is neither, or a literal of another kind (RFC 5890 §2.3.2.4, RFC 5321 §2.3.5).
 */
export function normalizeDomain(text: string): string | undefined {
  if (text.startsWith('[')) {
    const literal = parseLiteral(text);
    return literal === undefined || literal.family === 'other'
      ? undefined
      : formatLiteral(literal.address.toLowerCase());
  }
  // Plain names stay away from the platform's rules, which read `1.2.3` as an IP address.
  if (ascii.test(text)) return isDomain(text) ? text.toLowerCase() : undefined;
  if (!isDomain(text.normalize('NFC'), true)) return undefined;
  const converted = domainToASCII(text.normalize('NFC'));
  return isDomain(converted) ? converted.toLowerCase() : undefined;
}
