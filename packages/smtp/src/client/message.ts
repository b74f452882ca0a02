import { randomBytes } from 'node:crypto';
import { type ComposedMessage, composeMessage } from '../message/compose-message.ts';
import type { MessageInput } from '../message/message-input.ts';
import { type ClientEnvelope, toTransaction } from './envelope.ts';
import { Parcel } from './parcel.ts';
import { type Text, TextSource } from './text-source.ts';

/** A message that is there already: its text is sent as it is, but for its line ends. */
export interface RawMessage {
  readonly envelope: ClientEnvelope;
  readonly text: Text;
}

/** A message to compose; without an envelope it goes from `from` to all of `to`, `cc` and `bcc`. */
export interface MessageToCompose extends MessageInput {
  readonly envelope?: ClientEnvelope;
}

/** What a client sends. */
export type ClientMessage = RawMessage | MessageToCompose;

/** Octets up to which a composed message is put together before it is sent. */
const inOnePiece = 262_144;

/** Reads a message into what is sent. Throws Failure `invalid`, before anything is sent. */
export function toParcel(message: ClientMessage): Parcel | Promise<Parcel> {
  if ('from' in message) return composeParcel(message);
  const { envelope, text } = message;
  return new Parcel(toTransaction(envelope), new TextSource(text, envelope.mail?.body === 'BINARYMIME'));
}

async function composeParcel({ envelope, ...input }: MessageToCompose): Promise<Parcel> {
  const now = new Date();
  const offsetMinutes = -now.getTimezoneOffset();
  const composed = composeMessage(input, { now: now.getTime(), offsetMinutes, random: randomBytes });
  const { body, smtputf8, size } = composed;
  const needs = { body, ...(smtputf8 ? { smtputf8 } : {}), ...(size === undefined ? {} : { size }) };
  const { from, to } = envelope ?? { from: composed.envelope.from, to: composed.envelope.recipients };
  const transaction = toTransaction({ from, to, mail: { ...envelope?.mail, ...needs } });
  return new Parcel(transaction, new TextSource(await textOf(composed)), composed.messageId);
}

async function textOf(composed: ComposedMessage): Promise<Text> {
  // Attachments that are streams can be read only once, and then their size is not known.
  if (composed.size === undefined) return composed.stream();
  return composed.size <= inOnePiece ? await composed.toBuffer() : () => composed.stream();
}
