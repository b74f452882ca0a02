import type { MailParameters, RcptParameters } from '../command/parameters.ts';
import { findCode } from './find-code.ts';
import { findLinks } from './find-links.ts';
import { htmlText } from './html-text.ts';
import type { MailHeaders } from './mail-headers.ts';
import { type MailAddress, type MailAttachment, type MailContent, readMail } from './read-mail.ts';
import type { TranscriptLine } from './transcript.ts';

/** How a mail came in (RFC 5321 §2.3.1). */
export interface MailEnvelope {
  /** The empty string is the null reverse-path. */
  readonly from: string;
  /** The recipients that were accepted, in their order. */
  readonly to: readonly string[];
  /** What was asked for with MAIL. */
  readonly mail: MailParameters;
  /** What was asked for with each RCPT, in the order of `to`. */
  readonly recipients: readonly ({ readonly address: string } & RcptParameters)[];
  /** The name in EHLO, HELO or LHLO. */
  readonly hello: string;
  readonly login: string | undefined;
  /** Whether it came within TLS. */
  readonly secure: boolean;
}

/** What a received mail is made of. */
interface ReceivedMailOptions {
  readonly source: Buffer;
  readonly envelope: MailEnvelope;
  readonly transcript: () => readonly TranscriptLine[];
}

/** A mail that an inbox has; it is read when it is looked into. */
export class ReceivedMail implements MailContent {
  /** The message as it came, with CRLF line ends. */
  readonly source: Buffer;
  readonly envelope: MailEnvelope;
  readonly #transcript: () => readonly TranscriptLine[];
  #content: MailContent | undefined;

  constructor({ source, envelope, transcript }: ReceivedMailOptions) {
    this.source = source;
    this.envelope = envelope;
    this.#transcript = transcript;
  }

  get headers(): MailHeaders {
    return this.#read().headers;
  }

  get subject(): string {
    return this.#read().subject;
  }

  get from(): MailAddress | undefined {
    return this.#read().from;
  }

  get to(): readonly MailAddress[] {
    return this.#read().to;
  }

  get cc(): readonly MailAddress[] {
    return this.#read().cc;
  }

  get replyTo(): readonly MailAddress[] {
    return this.#read().replyTo;
  }

  get text(): string {
    return this.#read().text;
  }

  get html(): string {
    return this.#read().html;
  }

  get attachments(): readonly MailAttachment[] {
    return this.#read().attachments;
  }

  /** The links of text and HTML, each once, their character references read. */
  get links(): readonly string[] {
    return findLinks(this);
  }

  /** The session that it came in, so far as it has gone. */
  get transcript(): readonly TranscriptLine[] {
    return this.#transcript();
  }

  /** The one-time code that the mail brings. Throws Failure `invalid` when there is none, or several could be it. */
  code(): string {
    return findCode(`${this.subject}\n\n${this.text.trim() === '' ? htmlText(this.html) : this.text}`);
  }

  #read(): MailContent {
    this.#content ??= readMail(this.source);
    return this.#content;
  }
}
