import { formatReceived } from '@posthorn/smtp/message/received';
import type { Envelope } from '../queue/envelope.ts';

/** Who makes mail of its own here. */
export interface OwnMailParts {
  /** The name of this host. */
  readonly hostname: string;
  readonly newId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What is decided about a message of our own before its id and size are known. */
export type OwnMail = Omit<Envelope, 'id' | 'receivedAt' | 'size' | 'origin'>;

/** The Received field of a message of our own (RFC 5321 §4.4, RFC 6531 §4.3). */
export function ownTrace(
  id: string,
  { recipients, smtputf8 }: Pick<OwnMail, 'recipients' | 'smtputf8'>,
  parts: OwnMailParts,
): Buffer {
  const { hostname, now } = parts;
  const protocol = smtputf8 ? 'UTF8SMTP' : 'ESMTP';
  const date = now();
  const offsetMinutes = -new Date(date).getTimezoneOffset();
  return Buffer.from(formatReceived({ by: hostname, from: hostname, protocol, id, date, offsetMinutes, recipients }));
}

/** The envelope of a message of our own. */
export function ownEnvelope(mail: OwnMail, facts: Pick<Envelope, 'id' | 'receivedAt' | 'size'>): Envelope {
  return { ...mail, ...facts, origin: { clientAddress: 'local' } };
}

/** Puts a message of our own together that is in hand. */
export function composeOwnMail(mail: OwnMail, text: readonly Buffer[], parts: OwnMailParts) {
  const id = parts.newId();
  const content = Buffer.concat([ownTrace(id, mail, parts), ...text]);
  return { envelope: ownEnvelope(mail, { id, receivedAt: parts.now(), size: content.length }), content };
}
