import { fieldValue, withoutFields } from '@posthorn/smtp/message/header';
import { formatListFields, withoutListFields } from '@posthorn/smtp/message/list-fields';
import type { Content, NewMessage, QueueStore } from '../queue/queue-store.ts';
import type { MailingList } from './mailing-list.ts';
import { composeOwnMail, type OwnMail, type OwnMailParts, ownEnvelope, ownTrace } from './own-mail.ts';

/** What copies are written with. */
export interface CopyParts extends OwnMailParts {
  readonly draft: QueueStore['draft'];
}

/** A message as all copies of it are, but for their trace. */
export interface CopyText {
  readonly head: Buffer;
  /** What is behind the header. */
  body(): AsyncIterable<Buffer>;
  /** Octets in all. */
  readonly size: number;
  /** Whether all of it is in the memory. */
  readonly isInHand: boolean;
}

/**
 * The text for members: a mark that it was here, the list's own fields instead of those of others, and one for older
 * programs that answer by themselves; nothing else changes (RFC 2369 §4, RFC 9228 §4).
 */
export function memberText({ address, fields }: MailingList, header: Buffer, content: Content): CopyText {
  const precedence = fieldValue(header, 'precedence') === undefined ? 'Precedence: list\r\n' : '';
  const own = Buffer.from(`Delivered-To: ${address}\r\n${formatListFields(fields)}${precedence}`);
  return textOf(
    [own, withoutListFields(withoutFields(header, 'return-path', 'require-recipient-valid-since'))],
    header,
    content,
  );
}

/** The text for the keepers of a list: as it came. */
export function keeperText({ address }: MailingList, header: Buffer, content: Content): CopyText {
  return textOf([Buffer.from(`Delivered-To: ${address}\r\n`), header], header, content);
}

function textOf(head: readonly Buffer[], header: Buffer, content: Content): CopyText {
  const whole = Buffer.concat(head);
  const body = () => behind(content.stream(), header.length);
  return {
    head: whole,
    body,
    size: whole.length + content.size - header.length,
    isInHand: content.bytes !== undefined,
  };
}

async function* behind(pieces: AsyncIterable<Buffer>, start: number): AsyncGenerator<Buffer, void, undefined> {
  let skipped = 0;
  for await (const piece of pieces) {
    const here = Math.min(piece.length, start - skipped);
    skipped += here;
    if (here < piece.length) yield here === 0 ? piece : piece.subarray(here);
  }
}

/** Writes one copy: in one piece, or what is too large for that into a draft. Rejects with Failure `full` or `storage`. */
export async function composeCopy(mail: OwnMail, text: CopyText, parts: CopyParts): Promise<NewMessage> {
  if (!text.isInHand) return draftCopy(mail, text, parts);
  const pieces: Buffer[] = [];
  for await (const piece of text.body()) pieces.push(piece);
  return composeOwnMail(mail, [text.head, ...pieces], parts);
}

async function draftCopy(mail: OwnMail, { head, body, size }: CopyText, parts: CopyParts): Promise<NewMessage> {
  const draft = parts.draft();
  const trace = ownTrace(draft.id, mail, parts);
  try {
    await draft.write(Buffer.concat([trace, head]));
    for await (const piece of body()) await draft.write(piece);
  } catch (error) {
    await draft.discard();
    throw error;
  }
  const envelope = ownEnvelope(mail, { id: draft.id, receivedAt: parts.now(), size: trace.length + size });
  return { envelope, content: draft };
}
