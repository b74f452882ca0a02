import { decodeBase64Body } from '../bytes/base64.ts';
import { decodeQuotedPrintable } from '../bytes/quoted-printable.ts';

/** Takes the content-transfer-encoding (in lower case) off a body; an unknown one leaves it as it is (RFC 2045 §6). */
export function decodeBody(body: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return decodeBase64Body(body);
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body;
}
