import { formatUnitext, parseUnitext } from '../bytes/unitext.ts';
import { printable, printableUtf8 } from './printable.ts';

/** What the fields of a report may hold: ASCII everywhere, UTF-8 on a way with SMTPUTF8 (RFC 6533 §4.1). */
export type ReportForm = 'ascii' | 'utf8';

const ascii = /^[ -~]*$/;

/** Writes the value of Final-Recipient (RFC 3464 §2.3.2, RFC 6533 §3). */
export function formatFinalRecipient(address: string, form: ReportForm): string {
  if (/^[a-z0-9-]+;/i.test(address)) return formatOriginalRecipient(address, form);
  return ascii.test(address) ? `rfc822; ${address}` : `utf-8; ${utf8Address(address, form)}`;
}

/** Writes the value of Original-Recipient from `type;address` (RFC 3464 §2.3.1, RFC 6533 §3). */
export function formatOriginalRecipient(typed: string, form: ReportForm): string {
  const semicolon = typed.indexOf(';');
  const type = printable(typed.slice(0, semicolon));
  const address = typed.slice(semicolon + 1);
  if (type.toLowerCase() !== 'utf-8') return `${type};${printable(address)}`;
  // What is no valid form of the type is copied as it came.
  return `${type};${utf8Address(parseUnitext(address) ?? address, form)}`;
}

function utf8Address(address: string, form: ReportForm): string {
  return form === 'utf8' ? printableUtf8(address) : formatUnitext(address, 'ascii');
}

/** Reads the value of Final-Recipient: the address alone for the types of the Internet (RFC 3464 §2.3.2). */
export function parseFinalRecipient(value: string): string {
  const semicolon = value.indexOf(';');
  const type = value.slice(0, Math.max(0, semicolon)).trim().toLowerCase();
  const address = withoutBrackets(value.slice(semicolon + 1).trim());
  if (type === 'utf-8') return parseUnitext(address) ?? address;
  return type === '' || type === 'rfc822' ? address : `${type};${address}`;
}

/** Reads the value of Original-Recipient as `type;address` (RFC 3464 §2.3.1). */
export function parseOriginalRecipient(value: string): string {
  const semicolon = value.indexOf(';');
  const type = semicolon < 0 ? 'rfc822' : value.slice(0, semicolon).trim();
  const address = withoutBrackets(value.slice(semicolon + 1).trim());
  return `${type};${type.toLowerCase() === 'utf-8' ? (parseUnitext(address) ?? address) : address}`;
}

function withoutBrackets(address: string): string {
  return address.startsWith('<') && address.endsWith('>') ? address.slice(1, -1) : address;
}
