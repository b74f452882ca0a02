import { parseContentType } from '@posthorn/smtp/message/content-type';
import { decodeBody } from '@posthorn/smtp/message/decode-body';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import type { Envelope } from '../queue/envelope.ts';
import type { Content } from '../queue/queue-store.ts';

/** Parts within parts that are looked into for a text. */
const deepest = 4;

/** How much of a message a terminal can show. */
type Extent = 'whole' | 'part' | 'nothing';

interface Shown {
  readonly text: string;
  readonly extent: Extent;
}

/** A message as a terminal shows it: who it is from, what it is about, and its text; nothing in it can steer the terminal. */
export async function composeScreenText(
  { reversePath }: Pick<Envelope, 'reversePath'>,
  { content, address, most }: { readonly content: Content; readonly address: string; readonly most: number },
): Promise<Shown> {
  const message = await readBeginning(content, most);
  const subject = fieldValue(splitMessage(message).header, 'subject')?.trim();
  const { text, extent } = textOf(message, deepest);
  const lines = [
    '',
    `Message from <${reversePath}> to <${address}>`,
    ...(subject === undefined || subject === '' ? [] : [`Subject: ${subject}`]),
    '',
    ...text.trimEnd().split(/\r?\n/),
    ...(content.size > most ? ['', `[${content.size - most} octets more]`] : []),
    '',
  ].map((line) => line.replaceAll('\t', '        '));
  const harmless = lines.map(withoutControls);
  const isWhole = content.size <= most && harmless.every((line, index) => line === lines[index]);
  return { text: harmless.join('\r\n'), extent: isWhole ? extent : atMostPart(extent) };
}

function atMostPart(extent: Extent): Extent {
  return extent === 'whole' ? 'part' : extent;
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
function textOf(entity: Buffer, depth: number): Shown {
  const { header, body } = splitMessage(entity);
  const type = parseContentType(fieldValue(header, 'content-type') ?? 'text/plain');
  const mediaType = type?.mediaType ?? 'text/plain';
  const boundary = type?.parameters.get('boundary') ?? '';
  if (mediaType.startsWith('multipart/') && depth > 0) {
    return textOfParts(partsOf(body, boundary), { depth, areAlternatives: mediaType === 'multipart/alternative' });
  }
  if (!mediaType.startsWith('text/')) return { text: `[${mediaType}]`, extent: 'nothing' };
  const encoding = fieldValue(header, 'content-transfer-encoding')?.trim().toLowerCase() ?? '7bit';
  const charset = type?.parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  const text = decodeBody(body, encoding).toString(/^(?:utf-8|us-ascii)$/.test(charset) ? 'utf8' : 'latin1');
  const isPlain = mediaType === 'text/plain' && /^(?:utf-8|us-ascii|iso-8859-1)$/.test(charset);
  return { text, extent: isPlain ? 'whole' : 'part' };
}

function textOfParts(
  parts: readonly Buffer[],
  { depth, areAlternatives }: { readonly depth: number; readonly areAlternatives: boolean },
): Shown {
  const all = parts.map((part) => textOf(part, depth - 1));
  const first = all.find(({ extent }) => extent !== 'nothing');
  if (first === undefined) return { text: all.map(({ text }) => text).join(' '), extent: 'nothing' };
  return all.length === 1 || areAlternatives ? first : { ...first, extent: atMostPart(first.extent) };
}

function partsOf(body: Buffer, boundary: string): Buffer[] {
  const mark = `--${boundary}`;
  const parts: Buffer[] = [];
  let start = boundary === '' ? -1 : body.indexOf(mark);
  while (start !== -1 && body.toString('latin1', start + mark.length, start + mark.length + 2) !== '--') {
    const first = body.indexOf('\n', start) + 1;
    if (first === 0) break;
    const end = body.indexOf(`\n${mark}`, first);
    parts.push(body.subarray(first, end === -1 ? body.length : end));
    start = end === -1 ? -1 : end + 1;
  }
  return parts;
}

/** Control characters could move the cursor, answer for the user, or hide and reorder what is shown. */
function withoutControls(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}
