const alphabet = /^[A-Za-z0-9+/]*={0,2}$/;

/** Octets in one encoded line of 76 characters (RFC 2045 §6.8). */
const lineOctets = 57;

/** Reads canonical base64 with its padding and nothing around it; undefined for all else (RFC 4648 §3.5). */
export function parseBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !alphabet.test(text)) return undefined;
  const octets = Buffer.from(text, 'base64');
  // Bits behind the end that are not zero would give two spellings of one value.
  return octets.toString('base64') === text ? octets : undefined;
}

/** Reads the base64 body of a MIME part; characters outside the alphabet are skipped (RFC 2045 §6.8). */
export function decodeBase64Body(body: Buffer): Buffer {
  return Buffer.from(body.toString('latin1'), 'base64');
}

/** Writes octets as the base64 body of a MIME part, chunk by chunk, in lines of 76 characters (RFC 2045 §6.8). */
export class Base64Encoder {
  #rest: Buffer = Buffer.alloc(0);

  /** The whole lines that the octets so far make. */
  write(octets: Buffer): Buffer {
    const all = this.#rest.length === 0 ? octets : Buffer.concat([this.#rest, octets]);
    const whole = all.length - (all.length % lineOctets);
    // A copy, for the caller may use its buffer again.
    this.#rest = Buffer.from(all.subarray(whole));
    return lines(all.subarray(0, whole));
  }

  /** What is left, as one last line. */
  end(): Buffer {
    const last = lines(this.#rest);
    this.#rest = Buffer.alloc(0);
    return last;
  }
}

/** Each line ends with CRLF, the last too. */
function lines(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil(octets.length / 3) * 4 + Math.ceil(octets.length / lineOctets) * 2);
  let at = 0;
  for (let from = 0; from < octets.length; from += lineOctets) {
    at += out.write(octets.toString('base64', from, Math.min(from + lineOctets, octets.length)), at, 'latin1');
    out[at++] = 0x0d;
    out[at++] = 0x0a;
  }
  return out;
}
