import { isAscii, isUtf8 } from 'node:buffer';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import { headerFields } from '../message/header.ts';
import { surveyOctets } from '../message/octet-survey.ts';
import type { Action } from './delivery-report.ts';
import type { ReportForm } from './typed-address.ts';

/** The message that a report is about. */
export interface OriginalMessage {
  /** Its header, without the empty line. */
  readonly header: Buffer;
  /** Its body, when `returnsFull` says so and it is at hand. */
  readonly body?: Buffer;
}

/** What decides how much of a message goes back. */
export interface ReturnFacts {
  readonly actions: readonly Action[];
  /** RET as given. */
  readonly ret?: 'FULL' | 'HDRS';
  /** Octets of the message. */
  readonly size: number;
  /** The most octets that RET=FULL brings back; default 1 MiB. */
  readonly limit?: number;
}

/** One part of a report, ready to be written. */
export interface ReturnedPart {
  readonly mediaType: 'message/rfc822' | 'message/global' | 'text/rfc822-headers' | 'message/global-headers';
  readonly encoding: '7bit' | '8bit' | 'quoted-printable';
  readonly body: Buffer;
}

/** Without a wish of the sender, larger messages do not come back (octets). */
const unaskedLimit = 50 * 1024;
/** A header beyond that comes back cut (octets). */
const headerLimit = 64 * 1024;

/** Whether all of the message goes back, not only its header (RFC 3461 §4.3, RFC 3461 §6.2). */
export function returnsFull({ actions, ret, size, limit = 1024 * 1024 }: ReturnFacts): boolean {
  if (ret === 'HDRS' || !actions.includes('failed')) return false;
  return size <= (ret === 'FULL' ? limit : Math.min(unaskedLimit, limit));
}

/** Labels what goes back: the message where its body is given and a line can carry it, else its header (RFC 6522 §3). */
export function returnedPart({ header, body }: OriginalMessage, form: ReportForm): ReturnedPart {
  return (body === undefined ? undefined : fullPart(header, body, form)) ?? headerPart(header, form);
}

/** No encoding is allowed within message/rfc822, so that what is neither text nor in UTF-8 has no label (RFC 2046 §5.2.1). */
function fullPart(header: Buffer, content: Buffer, form: ReportForm): ReturnedPart | undefined {
  const body = Buffer.concat([header, Buffer.from('\r\n'), content]);
  const survey = surveyOctets(body);
  if (survey.binary || !isUtf8(header)) return undefined;
  if (isAscii(header)) return { mediaType: 'message/rfc822', encoding: survey.eightBit ? '8bit' : '7bit', body };
  return form === 'utf8'
    ? { mediaType: 'message/global', encoding: '8bit', body }
    : { mediaType: 'message/global', encoding: 'quoted-printable', body: quotedPrintable(body) };
}

function headerPart(whole: Buffer, form: ReportForm): ReturnedPart {
  const body = whole.length <= headerLimit ? whole : cutHeader(whole);
  const survey = surveyOctets(body);
  const mediaType = survey.eightBit && isUtf8(body) ? 'message/global-headers' : 'text/rfc822-headers';
  if (survey.eightBit && !survey.binary && form === 'utf8' && isUtf8(body))
    return { mediaType, encoding: '8bit', body };
  if (!survey.eightBit && !survey.binary) return { mediaType, encoding: '7bit', body };
  return { mediaType, encoding: 'quoted-printable', body: quotedPrintable(body) };
}

function cutHeader(whole: Buffer): Buffer {
  let length = 0;
  for (const { raw } of headerFields(whole)) {
    if (length + raw.length > headerLimit) break;
    length += raw.length;
  }
  return whole.subarray(0, length);
}

function quotedPrintable(octets: Buffer): Buffer {
  const encoder = new QuotedPrintableEncoder('text');
  return Buffer.concat([encoder.write(octets), encoder.end()]);
}
