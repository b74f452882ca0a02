import { Failure } from '../failure/failure.ts';
import { contentEntity } from './content-entity.ts';
import { formatDate } from './date.ts';
import { formatTextField } from './encoded-word.ts';
import { type Entity, entitySize, isEightBit, writeEntity } from './entity.ts';
import { envelopeOf, type ImpliedEnvelope } from './envelope-of.ts';
import { foldField } from './fold.ts';
import { formatAddressField, readAddresses } from './format-address-list.ts';
import type { AddressListInput, MessageInput } from './message-input.ts';
import { requireClean } from './require-clean.ts';

/** What a composer is given of its surroundings. */
export interface ComposeSurroundings {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of this host, minutes east of UTC; default 0. */
  readonly offsetMinutes?: number;
  /** Octets of chance, for boundaries and Message-ID. */
  readonly random: (octets: number) => Buffer;
}

/** A message, ready to be sent. */
export interface ComposedMessage {
  readonly envelope: ImpliedEnvelope;
  /** With its brackets. */
  readonly messageId: string;
  /** The header or the envelope needs SMTPUTF8 (RFC 6531 §3.2). */
  readonly smtputf8: boolean;
  /** What it needs of the way; 8BITMIME only for the sake of an attached message. */
  readonly body: '7BIT' | '8BITMIME';
  /** Octets; undefined when an attachment is a stream. */
  readonly size: number | undefined;
  /** The message in pieces; again and again, unless an attachment is a stream. */
  stream(): AsyncIterable<Buffer>;
  /** The message in one piece. */
  toBuffer(): Promise<Buffer>;
}

/** Fields that have an option of their own, or none: what is written about Bcc would be read by all (RFC 5322 §3.6.3). */
const ownFields =
  /^(?:date|from|sender|reply-to|to|cc|bcc|resent-bcc|subject|message-id|in-reply-to|references|mime-version|content-.*)$/i;
const fieldName = /^[!-9;-~]{1,70}$/;
const identifier = /^<[!-;=?-~]{1,900}>$/;

/**
 * Composes a message with its MIME structure. Throws Failure `invalid` for whatever could not be written faithfully: CR,
 * LF or NUL in a value of the header, a faulty address, an unknown charset (RFC 5322 §3.6, RFC 2045 §1).
 */
export function composeMessage(input: MessageInput, surroundings: ComposeSurroundings): ComposedMessage {
  const { random } = surroundings;
  const envelope = envelopeOf(input);
  const domain = envelope.from.slice(envelope.from.lastIndexOf('@') + 1);
  // A domain in UTF-8 is left only where the local-part is not ASCII, and an identifier need not ask for SMTPUTF8.
  const made = `${random(16).toString('hex')}@${/^[!-~]+$/.test(domain) ? domain : 'localhost'}`;
  const messageId = readIdentifier(input.messageId ?? made, 'messageId');
  const addresses = addressFields(input);
  const content = contentEntity(input, () => `=_${random(16).toString('hex')}`);
  const header = [
    foldField('Date', [formatDate(readDate(input, surroundings), surroundings.offsetMinutes)]),
    ...addresses.map(({ text }) => text),
    ...(input.subject === undefined ? [] : [formatTextField('Subject', requireClean(input.subject, 'subject'))]),
    foldField('Message-ID', [messageId]),
    ...threadFields(input),
    ...furtherFields(input),
    foldField('MIME-Version', ['1.0']),
  ];
  const root = { ...content, fields: [...header, ...content.fields] };
  return {
    envelope,
    messageId,
    smtputf8: envelope.smtputf8 || addresses.some(({ utf8 }) => utf8),
    body: isEightBit(root) ? '8BITMIME' : '7BIT',
    size: entitySize(root),
    stream: () => writeEntity(root),
    toBuffer: () => inOnePiece(root),
  };
}

async function inOnePiece(root: Entity): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of writeEntity(root)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function readDate({ date }: MessageInput, { now }: ComposeSurroundings): number {
  const instant = Number(date ?? now);
  if (Number.isNaN(new Date(instant).getTime())) throw new Failure('invalid', 'date is no date');
  return instant;
}

function addressFields(input: MessageInput) {
  const lists: readonly (readonly [string, AddressListInput | undefined])[] = [
    ['From', input.from],
    ['Sender', input.sender],
    ['Reply-To', input.replyTo],
    ['To', input.to],
    ['Cc', input.cc],
  ];
  const read = lists.map(([field, list]) => [field, readAddresses(list, field)] as const);
  return read.filter(([, list]) => list.length > 0).map(([field, list]) => formatAddressField(field, list));
}

function threadFields({ inReplyTo, references = [] }: MessageInput): string[] {
  const thread = (Array.isArray(references) ? references : [references])
    .flatMap((text: string) => text.split(' '))
    .filter(Boolean);
  return [
    ...(inReplyTo === undefined ? [] : [foldField('In-Reply-To', [readIdentifier(inReplyTo, 'inReplyTo')])]),
    ...(thread.length === 0
      ? []
      : [
          foldField(
            'References',
            thread.map((id) => readIdentifier(id, 'references')),
          ),
        ]),
  ];
}

function readIdentifier(text: string, what: string): string {
  const id = requireClean(text, what).startsWith('<') ? text : `<${text}>`;
  if (!identifier.test(id)) throw new Failure('invalid', `${what} is no message identifier: ${JSON.stringify(text)}`);
  return id;
}

function furtherFields({ headers = {} }: MessageInput): string[] {
  return Object.entries(headers).flatMap(([name, values]) => {
    if (!fieldName.test(name)) throw new Failure('invalid', `${JSON.stringify(name)} is no name of a header field`);
    if (ownFields.test(name)) throw new Failure('invalid', `the header field ${name} cannot be set by hand`);
    const list = typeof values === 'string' ? [values] : values;
    return list.map((value) => formatTextField(name, requireClean(value, name)));
  });
}
