import { parseContentType } from '@posthorn/smtp/message/content-type';
import { decodeBody } from '@posthorn/smtp/message/decode-body';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import type { Envelope } from '../queue/envelope.ts';
import type { Content } from '../queue/queue-store.ts';

/** Parts within parts that are looked into for a text. */
const deepest = 4;

/** A message as a terminal shows it: who it is from, what it is about, and its text; nothing in it can steer the terminal. */
export async function composeScreenText(
  { reversePath }: Pick<Envelope, 'reversePath'>,
  { content, address, most }: { readonly content: Content; readonly address: string; readonly most: number },
): Promise<string> {
  const message = await readBeginning(content, most);
  const subject = fieldValue(splitMessage(message).header, 'subject')?.trim();
  const lines = [
    `Message from <${reversePath}> to <${address}>`,
    ...(subject === undefined || subject === '' ? [] : [`Subject: ${subject}`]),
    '',
    ...textOf(message, deepest).trimEnd().split(/\r?\n/),
    ...(content.size > most ? ['', `[${content.size - most} octets more]`] : []),
    '',
  ];
  return ['', ...lines].map(harmless).join('\r\n');
}

async function readBeginning({ stream }: Content, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let left = most;
  for await (const piece of stream()) {
    pieces.push(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) break;
  }
  return Buffer.concat(pieces);
}

/** The text of an entity, or of its first part that has one; of other kinds, what they are. */
function textOf(entity: Buffer, depth: number): string {
  const { header, body } = splitMessage(entity);
  const type = parseContentType(fieldValue(header, 'content-type') ?? 'text/plain');
  const mediaType = type?.mediaType ?? 'text/plain';
  const boundary = type?.parameters.get('boundary') ?? '';
  if (mediaType.startsWith('multipart/') && depth > 0) return textOfParts(body, boundary, depth);
  if (!mediaType.startsWith('text/')) return `[${mediaType}]`;
  const encoding = fieldValue(header, 'content-transfer-encoding')?.trim().toLowerCase() ?? '7bit';
  const charset = type?.parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  return decodeBody(body, encoding).toString(/^(?:utf-8|us-ascii)$/.test(charset) ? 'utf8' : 'latin1');
}

function textOfParts(body: Buffer, boundary: string, depth: number): string {
  const mark = `--${boundary}`;
  const start = body.indexOf(mark);
  if (boundary === '' || start === -1) return '';
  const first = body.indexOf('\n', start) + 1;
  const end = body.indexOf(`\n${mark}`, first);
  return textOf(body.subarray(first, end === -1 ? body.length : end), depth - 1);
}

/** Control characters could move the cursor, answer for the user, or hide and reorder what is shown. */
function harmless(line: string): string {
  return line.replaceAll('\t', '        ').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}
