import { Duplex } from 'node:stream';

/** A stream in memory whose writes are kept, one by one. */
export class MemoryStream extends Duplex {
  readonly writes: string[] = [];
  other: MemoryStream | undefined;

  override _read(): void {}

  override _write(octets: Buffer, _: BufferEncoding, done: () => void): void {
    this.writes.push(octets.toString('utf8'));
    // Not at once, as no real stream does: TLS would be called back from within its own writing.
    setImmediate(() => {
      this.other?.push(Buffer.from(octets));
      done();
    });
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

/** Two streams in memory; what is written to one is read from the other. */
export function streamPair(): [MemoryStream, MemoryStream] {
  const pair: [MemoryStream, MemoryStream] = [new MemoryStream(), new MemoryStream()];
  pair[0].other = pair[1];
  pair[1].other = pair[0];
  return pair;
}
