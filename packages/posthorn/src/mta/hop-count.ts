import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { countReceived } from '@posthorn/smtp/message/received';

/** Counts the Received fields of a message while it comes in (RFC 5321 §6.3). */
export class HopCount {
  #collector: HeaderCollector | undefined;
  #count: number | undefined;

  /** Looks at the next piece. */
  write(piece: Buffer): void {
    if (this.#count !== undefined) return;
    if (this.#collector === undefined && piece.includes('\r\n\r\n')) this.#count = countReceived(piece);
    else this.#collect(piece);
  }

  /** The count so far; final behind the header. */
  get value(): number {
    return this.#count ?? (this.#collector === undefined ? 0 : countReceived(this.#collector.header));
  }

  #collect(piece: Buffer): void {
    this.#collector ??= new HeaderCollector();
    if (!this.#collector.write(piece)) return;
    this.#count = countReceived(this.#collector.header);
    this.#collector = undefined;
  }
}
