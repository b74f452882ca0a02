import { Duplex } from 'node:stream';

/** Milliseconds between two drops, at the least. */
const shortestPause = 20;

/** Lets what is written through at a rate of octets in a second; what is read comes as it is. */
export class DrippingStream extends Duplex {
  readonly #inner: Duplex;
  readonly #rate: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(inner: Duplex, octetsPerSecond: number) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    this.#rate = octetsPerSecond;
    inner.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) inner.pause();
    });
    inner.on('end', () => this.push(null)).on('error', (error) => this.destroy(error));
    inner.on('close', () => this.destroy()).pause();
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const pause = Math.max(shortestPause, 1000 / this.#rate);
    const drop = Math.max(1, Math.round((this.#rate * pause) / 1000));
    const next = (at: number) => {
      if (at >= bytes.length) done();
      else {
        this.#timer = setTimeout(() => {
          this.#inner.write(bytes.subarray(at, at + drop));
          next(at + drop);
        }, pause);
      }
    };
    next(0);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#inner.destroy();
    done(error);
  }
}
