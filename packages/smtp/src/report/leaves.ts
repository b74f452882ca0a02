import { decodeBody } from '../message/decode-body.ts';
import { type MimePart, MimeScanner } from '../message/mime-scanner.ts';

/** A part that holds no further ones. */
export interface Leaf {
  readonly mediaType: string;
  readonly encoding: string;
  readonly pieces: Buffer[];
}

/**
 * The leaves inside of a multipart of the given type; a message that is returned or forwarded is one of them, not looked
 * into (RFC 2046 §5.1).
 */
export function leavesWithin(message: Buffer, container: string): Leaf[] {
  const leaves: Leaf[] = [];
  let depthOfContainer = Number.POSITIVE_INFINITY;
  const isInside = () => depthOfContainer !== Number.POSITIVE_INFINITY;
  const begin = ({ mediaType, encoding, depth, kind }: MimePart) => {
    if (depth <= depthOfContainer) depthOfContainer = mediaType === container ? depth : Number.POSITIVE_INFINITY;
    if (isInside() && kind === 'leaf') leaves.push({ mediaType, encoding, pieces: [] });
  };
  const scanner = new MimeScanner({
    part: begin,
    body: (octets) => {
      if (isInside()) leaves.at(-1)?.pieces.push(Buffer.from(octets));
    },
    delimiter: () => {},
    filler: () => {},
    enters: ({ mediaType }) => mediaType.startsWith('multipart/'),
  });
  scanner.write(message);
  scanner.end();
  return leaves;
}

/** The octets of a leaf without their encoding (RFC 2045 §6). */
export function decoded({ pieces, encoding }: Leaf): Buffer {
  return decodeBody(Buffer.concat(pieces), encoding);
}
