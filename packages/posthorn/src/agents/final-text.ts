import { headerFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { withReturnPath } from '@posthorn/smtp/message/return-path';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { Content } from '../queue/queue-store.ts';
import { withHeaderLineFeeds, withLineFeeds } from './line-feeds.ts';

/** A message and one of its recipients. */
export interface Copy {
  readonly envelope: Envelope;
  readonly recipient: Recipient;
  readonly content: Content;
}

/**
 * A message as a mailbox keeps it, with LF line ends: Return-Path, Delivered-To, Original-Recipient when the sender gave one,
 * then what came (RFC 5321 §4.4, RFC 9228 §4, RFC 8098 §2.3).
 */
export function finalText({ envelope, recipient, content }: Copy): AsyncGenerator<Buffer, void, undefined> {
  const fields = [`Delivered-To: ${recipient.address}\r\n`];
  const { originalRecipient } = recipient;
  // Decoded xtext may hold anything, line ends too.
  if (originalRecipient !== undefined && /^[^\p{Cc}]+$/u.test(originalRecipient)) {
    fields.push(`Original-Recipient: ${originalRecipient.replace(';', '; ')}\r\n`);
  }
  const text = withReturnPath(prepend(Buffer.from(fields.join('')), content.stream()), envelope.reversePath);
  return envelope.body === 'BINARYMIME' ? withHeaderLineFeeds(text) : withLineFeeds(text);
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}

/** The addresses, in lower case, that a message was delivered to before (RFC 9228 §4). */
export async function earlierRecipients(content: Content): Promise<ReadonlySet<string>> {
  return deliveredBefore((await collectHeader(content)).header);
}

/** The header of a message, and what was read with it. */
export async function collectHeader(content: Content): Promise<HeaderCollector> {
  const collector = new HeaderCollector();
  for await (const piece of content.stream()) if (collector.write(piece)) break;
  return collector;
}

/** The same from a header alone. */
export function deliveredBefore(header: Buffer): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const field of headerFields(header)) if (field.name === 'delivered-to') addresses.add(field.value.toLowerCase());
  return addresses;
}
