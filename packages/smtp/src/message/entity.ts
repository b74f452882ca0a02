import { Base64Encoder } from '../bytes/base64.ts';
import { base64Length, type EncodedBody } from './encoded-body.ts';
import { foldField } from './fold.ts';
import type { PieceSource } from './message-input.ts';

/** A leaf of the message that is being composed (RFC 2045 §2.4). */
export interface Leaf {
  /** Each with its CRLF; that of the encoding is added. */
  readonly fields: readonly string[];
  readonly body: EncodedBody;
}

/** Parts with a boundary between them (RFC 2046 §5.1). */
interface Multipart {
  readonly fields: readonly string[];
  readonly boundary: string;
  readonly parts: readonly Entity[];
}

/** What a message is made of (RFC 2045 §2.4). */
export type Entity = Leaf | Multipart;

/** What is written: octets as they are, or octets to be encoded on the way. */
type Piece = Buffer | { readonly base64: Buffer | PieceSource };

/** Octets encoded at a time: whole lines, and little memory. */
const slice = 57 * 1024;

/** Makes a multipart of several parts; a single one stands for itself (RFC 2046 §5.1). */
export function multipart(
  subtype: string,
  boundary: string,
  parts: readonly Entity[],
  parameters: readonly string[] = [],
): Entity {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const words = [`multipart/${subtype};`, ...parameters.map((parameter) => `${parameter};`), `boundary="${boundary}"`];
  return { fields: [foldField('Content-Type', words)], boundary, parts };
}

/** The octets of an entity; undefined when a stream is among its parts. */
export function entitySize(root: Entity): number | undefined {
  let size = 0;
  for (const piece of pieces(root, true)) {
    if (Buffer.isBuffer(piece)) size += piece.length;
    else if (Buffer.isBuffer(piece.base64)) size += base64Length(piece.base64.length);
    else return undefined;
  }
  return size;
}

/** Whether a part goes as 8bit (RFC 6152 §2). */
export function isEightBit(entity: Entity): boolean {
  return 'parts' in entity ? entity.parts.some(isEightBit) : entity.body.encoding === '8bit';
}

/** Writes an entity piece by piece; streams are read as they are reached. */
export async function* writeEntity(root: Entity): AsyncGenerator<Buffer, void, undefined> {
  for (const piece of pieces(root, true)) {
    if (Buffer.isBuffer(piece)) yield piece;
    else yield* encoded(piece.base64);
  }
}

function* pieces(entity: Entity, isRoot: boolean): Generator<Piece, void, undefined> {
  if ('parts' in entity) {
    yield Buffer.from(`${entity.fields.join('')}\r\n`);
    for (const [index, part] of entity.parts.entries()) {
      yield Buffer.from(`${index === 0 ? '' : '\r\n'}--${entity.boundary}\r\n`);
      yield* pieces(part, false);
    }
    yield Buffer.from(`\r\n--${entity.boundary}--\r\n`);
    return;
  }
  const { fields, body } = entity;
  yield Buffer.from(`${fields.join('')}Content-Transfer-Encoding: ${body.encoding}\r\n\r\n`);
  if ('octets' in body) yield { base64: body.octets };
  else {
    yield body.written;
    // Between parts the CRLF of the delimiter ends the last line; at the end of a message nothing else does.
    if (isRoot && body.written.length > 0 && !body.written.subarray(-2).equals(lineEnd)) yield lineEnd;
  }
}

const lineEnd = Buffer.from('\r\n');

async function* encoded(source: Buffer | PieceSource): AsyncGenerator<Buffer, void, undefined> {
  const encoder = new Base64Encoder();
  for await (const octets of Buffer.isBuffer(source) ? slices(source) : source) {
    const lines = encoder.write(
      typeof octets === 'string'
        ? Buffer.from(octets)
        : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength),
    );
    if (lines.length > 0) yield lines;
  }
  const last = encoder.end();
  if (last.length > 0) yield last;
}

function* slices(octets: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < octets.length; at += slice) yield octets.subarray(at, at + slice);
}
