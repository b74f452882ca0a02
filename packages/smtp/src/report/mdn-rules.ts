import { parseMailbox } from '../address/parse-mailbox.ts';
import { sameMailbox } from '../address/same-mailbox.ts';
import { mailboxesOf, type NamedMailbox, parseAddressList } from '../message/address-list.ts';
import { parseContentType } from '../message/content-type.ts';
import { fieldValue, headerFields } from '../message/header.ts';

/** Why a message gets no disposition notification, or none without the consent of the person (RFC 8098 §2.1). */
export type NoMdn =
  /** Nobody asked, or in a way that nobody understands. */
  | 'not-asked'
  /** It is a notification itself. */
  | 'notification'
  /** It asks for what is not known here, and says that it must be (RFC 8098 §2.2). */
  | 'unknown-option'
  /** One was sent already. */
  | 'already-sent'
  /** Nobody can be asked, and it asks that others are told than the one who gets failures. */
  | 'consent-needed';

/** What decides whether a notification may be sent. */
export interface MdnRequest {
  /** The header of the message, as its mailbox keeps it. */
  readonly header: Buffer;
  /** Whether the person agreed to this very notification. */
  readonly hasConsent: boolean;
  /** Whether one was sent for the recipient before, whatever it said. */
  readonly wasSent: boolean;
}

/** Who asked for notifications of what becomes of a message; undefined when nobody did (RFC 8098 §2.1). */
export function mdnRequesters(header: Buffer): readonly NamedMailbox[] | undefined {
  const fields = [...headerFields(header)].filter(({ name }) => name === 'disposition-notification-to');
  const [field] = fields;
  // At most one may be there: of two nobody knows which is right.
  if (field === undefined || fields.length > 1) return undefined;
  const mailboxes = mailboxesOf(parseAddressList(field.value) ?? []);
  return mailboxes.length === 0 ? undefined : mailboxes;
}

/** Says why no notification must be sent; undefined when it may be (RFC 8098 §2.1, RFC 8098 §2.2). */
export function whyNoMdn({ header, hasConsent, wasSent }: MdnRequest): NoMdn | undefined {
  const requesters = mdnRequesters(header);
  if (requesters === undefined) return 'not-asked';
  if (isNotification(header)) return 'notification';
  if (requiresOption(header)) return 'unknown-option';
  if (wasSent) return 'already-sent';
  return hasConsent || isPlainRequest(header, requesters) ? undefined : 'consent-needed';
}

function isNotification(header: Buffer): boolean {
  const type = parseContentType(fieldValue(header, 'content-type') ?? '');
  const reportType = type?.parameters.get('report-type')?.toLowerCase();
  return type?.mediaType === 'multipart/report' && reportType === 'disposition-notification';
}

/** No option is defined, so that each one that is required is unknown. */
function requiresOption(header: Buffer): boolean {
  const options = fieldValue(header, 'disposition-notification-options') ?? '';
  return /=\s*required\s*(?:,|;|$)/i.test(options);
}

/** Only who gets failures too is told without a question; one address, the same as the one Return-Path (RFC 8098 §2.1). */
function isPlainRequest(header: Buffer, requesters: readonly NamedMailbox[]): boolean {
  const paths = [...headerFields(header)].filter(({ name }) => name === 'return-path');
  const path = paths.length === 1 ? /^<([^<>]+)>$/.exec(paths[0]?.value ?? '')?.[1] : undefined;
  const sender = path === undefined ? undefined : parseMailbox(path, { utf8: true });
  return sender !== undefined && requesters.every(({ mailbox }) => sameMailbox(sender, mailbox));
}
