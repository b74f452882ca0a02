import { PART_SIZE } from './record.ts';

/** The octets of a text that are not in a part on disk yet. */
export class PartBuffer {
  #chunks: Buffer[] = [];
  #size = 0;

  /** Octets. */
  get size(): number {
    return this.#size;
  }

  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** All of it in one piece, put together once. */
  get whole(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  prepend(bytes: Buffer): void {
    this.#chunks = [bytes, ...this.#chunks];
    this.#size += bytes.length;
  }

  /** Takes up to one part from its beginning. */
  takePart(): Buffer {
    const part = Buffer.allocUnsafeSlow(Math.min(this.#size, PART_SIZE));
    let end = 0;
    let taken = 0;
    while (end < part.length) {
      const chunk = this.#chunks[taken] as Buffer;
      const fits = Math.min(chunk.length, part.length - end);
      chunk.copy(part, end, 0, fits);
      end += fits;
      if (fits < chunk.length) this.#chunks[taken] = chunk.subarray(fits);
      else taken++;
    }
    this.#chunks = this.#chunks.slice(taken);
    this.#size -= part.length;
    return part;
  }

  /** Another one with the same octets. */
  copy(): PartBuffer {
    const copy = new PartBuffer();
    for (const chunk of this.#chunks) copy.push(chunk);
    return copy;
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }
}
