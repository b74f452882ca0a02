import type { Readable } from 'node:stream';

/** What Nodemailer's `dsn` asks for, under either of its names (RFC 3461 §4). */
export interface DsnWish {
  readonly ret?: string | undefined;
  readonly return?: string | undefined;
  readonly envid?: string | undefined;
  readonly id?: string | undefined;
  readonly notify?: string | readonly string[] | undefined;
  readonly recipient?: string | undefined;
  readonly orcpt?: string | undefined;
}

/** What of a message's options counts behind its composing. */
export interface MailOptions {
  readonly dsn?: DsnWish | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly requireTLSExtensionEnabled?: boolean | undefined;
  readonly auth?: unknown;
}

/** A message as Nodemailer hands it to a transport. */
export interface ComposedMail {
  /** The options; `MailOptions` are looked for among them. */
  readonly data: object;
  readonly message: {
    getEnvelope(): { readonly from: string | false; readonly to: readonly string[] };
    messageId(): string;
    createReadStream(): Readable;
  };
}
