import { splitMessage } from '@posthorn/smtp/message/header';
import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { type HeaderSurvey, surveyHeader } from '@posthorn/smtp/message/header-survey';

const none = Buffer.alloc(0);

/** Looks at the header of a message while it comes in. */
export class HeaderWatch {
  #collector: HeaderCollector | undefined;
  #survey: HeaderSurvey | undefined;
  #header: Buffer | undefined;

  /** Looks at the next piece. */
  write(piece: Buffer): void {
    if (this.#survey !== undefined) return;
    if (this.#collector === undefined && piece.includes('\r\n\r\n')) this.#end(piece);
    else this.#collect(piece);
  }

  /** How often the message was accepted before, so far; final behind the header (RFC 5321 §6.3). */
  get hops(): number {
    return this.#whole().received;
  }

  /** The header, where it has fields that say what is to become of the message; undefined where it has none. */
  get wishes(): Buffer | undefined {
    if (!this.#whole().wishes) return undefined;
    return this.#header ?? this.#collector?.header;
  }

  #whole(): HeaderSurvey {
    return this.#survey ?? surveyHeader(this.#collector?.header ?? none);
  }

  #collect(piece: Buffer): void {
    this.#collector ??= new HeaderCollector();
    if (!this.#collector.write(piece)) return;
    this.#end(this.#collector.header);
    this.#collector = undefined;
  }

  #end(message: Buffer): void {
    this.#survey = surveyHeader(message);
    if (this.#survey.wishes) this.#header = splitMessage(message).header;
  }
}
