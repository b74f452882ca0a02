import { asciiDomain, formatLiteral, parseLiteral } from './domain.ts';

/**
 * A domain in the one form it is compared in, lower-case A-labels; a literal with its IP address in lower case. Undefined
 * when it is neither, or a literal of another kind (RFC 5890 §2.3.2.4, RFC 5321 §2.3.5).
 */
export function normalizeDomain(text: string): string | undefined {
  if (!text.startsWith('[')) return asciiDomain(text);
  const literal = parseLiteral(text);
  return literal === undefined || literal.family === 'other' ? undefined : formatLiteral(literal.address.toLowerCase());
}
