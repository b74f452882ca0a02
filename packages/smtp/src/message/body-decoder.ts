import { decodeBody } from './decode-body.ts';

const equals = 0x3d;
const lineFeed = 0x0a;
/** Octets of a line that are held until its end; a longer one is decoded in pieces. */
const longestLine = 65_536;
const none = Buffer.alloc(0);

/** Takes the content-transfer-encoding off a body that comes in pieces; an unknown one leaves it as it is (RFC 2045 §6). */
export class BodyDecoder {
  readonly #encoding: string;
  #rest: Buffer = none;
  /** The padding of base64 was seen: nothing behind it counts. */
  #ended = false;

  /** `encoding` in lower case. */
  constructor(encoding: string) {
    this.#encoding = encoding;
  }

  /** What the octets so far stand for. */
  write(octets: Buffer): Buffer {
    if (this.#encoding === 'base64') return this.#writeBase64(octets);
    if (this.#encoding !== 'quoted-printable') return octets;
    const all = Buffer.concat([this.#rest, octets]);
    const end = all.lastIndexOf(lineFeed) + 1;
    const whole = end === 0 && all.length > longestLine ? safeCut(all) : end;
    this.#rest = Buffer.from(all.subarray(whole));
    return whole === 0 ? none : decodeBody(all.subarray(0, whole), this.#encoding);
  }

  /** What is left. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = none;
    return rest.length === 0 || this.#ended ? none : decodeBody(rest, this.#encoding);
  }

  /** Groups of four characters stand for themselves, wherever they are cut. */
  #writeBase64(octets: Buffer): Buffer {
    if (this.#ended) return none;
    let characters = this.#rest.toString('latin1') + octets.toString('latin1').replace(/[^A-Za-z0-9+/=]/g, '');
    const padding = characters.indexOf('=');
    this.#ended = padding >= 0;
    if (padding >= 0) characters = characters.slice(0, padding);
    const whole = padding >= 0 ? characters.length : characters.length - (characters.length % 4);
    this.#rest = Buffer.from(characters.slice(whole), 'latin1');
    return Buffer.from(characters.slice(0, whole), 'base64');
  }
}

/** Where a line that is too long can be cut without parting an escape. */
function safeCut(octets: Buffer): number {
  const start = octets.indexOf(equals, octets.length - 2);
  return start === -1 ? octets.length : start;
}
