import { Input } from '@posthorn/smtp/bytes/input';
import { Failure } from '@posthorn/smtp/failure/failure';

/** Octets of the longest packet, its length left out: twice what any filter may send by the rules. */
const longest = 131_072;

/** Cuts what a filter sends into packets. */
export class MilterPackets {
  readonly #input = new Input();

  push(bytes: Buffer): void {
    this.#input.push(bytes);
  }

  /** The next packet without its length, if it is all there. Throws Failure `protocol` for one of no length, or too long. */
  next(): Buffer | undefined {
    const bytes = this.#input.peek();
    if (bytes.length < 4) return undefined;
    const length = bytes.readUInt32BE(0);
    if (length === 0 || length > longest) throw new Failure('protocol', `a packet of ${length} octets`);
    if (bytes.length < 4 + length) return undefined;
    // Copied: what is kept of it must not keep all that came with it.
    const packet = Buffer.from(bytes.subarray(4, 4 + length));
    this.#input.skip(4 + length);
    return packet;
  }
}
