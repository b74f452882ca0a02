import { headerFields } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { withReturnPath } from '@posthorn/smtp/message/return-path';
import type { Content } from '../queue/queue-store.ts';

/** Whom a copy is for, and who sent it. */
export interface FinalAddresses {
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly recipient: string;
}

/** A message as a mailbox keeps it: Return-Path, Delivered-To, then what came (RFC 5321 §4.4, RFC 9228 §2). */
export async function* finalText(
  content: Content,
  { reversePath, recipient }: FinalAddresses,
): AsyncGenerator<Buffer, void, undefined> {
  yield* withReturnPath(prepend(Buffer.from(`Delivered-To: ${recipient}\r\n`), content.stream()), reversePath);
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}

/** Whether the message was delivered to this address before: forwards run in a circle (RFC 5321 §6.3, RFC 9228 §2). */
export async function wasDeliveredTo(content: Content, recipient: string): Promise<boolean> {
  const collector = new HeaderCollector();
  for await (const piece of content.stream()) if (collector.write(piece)) break;
  const wanted = recipient.toLowerCase();
  for (const field of headerFields(collector.header)) {
    if (field.name === 'delivered-to' && field.value.toLowerCase() === wanted) return true;
  }
  return false;
}
