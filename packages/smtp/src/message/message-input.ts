/** An address as a caller gives it: text as in a header field, `"Ann" <ann@example.org>, bob@example.org`, or its parts. */
export type AddressInput =
  | string
  | { readonly name?: string; readonly address: string }
  | { readonly group: string; readonly members: readonly AddressInput[] };

/** One address or several. */
export type AddressListInput = AddressInput | readonly AddressInput[];

/** Text of a body: a string, UTF-8 octets, or octets in another charset, named as the Encoding Standard has it. */
export type TextInput = string | Buffer | { readonly content: Buffer; readonly charset: string };

/** Octets that come in pieces, read once. */
export type PieceSource = AsyncIterable<Uint8Array | string>;

/** A file in a message (RFC 2183 §2). */
export interface AttachmentInput {
  readonly filename?: string;
  /** Strings are UTF-8. */
  readonly content: string | Uint8Array | PieceSource;
  /** As `text/csv; charset=utf-8`; told from the filename when absent. */
  readonly contentType?: string;
  /** Content-ID without brackets: HTML shows the file at `cid:` and this (RFC 2392 §2). */
  readonly cid?: string;
  /** Default `inline` with a `cid`, else `attachment`. */
  readonly disposition?: 'attachment' | 'inline';
}

/** Another form of the text, such as a `text/calendar` invitation (RFC 2046 §5.1.4). */
export interface AlternativeInput {
  readonly contentType: string;
  readonly content: TextInput;
}

/** Who a message is from and to; Bcc gets it and is never written (RFC 5322 §3.6.3). */
export interface CorrespondentsInput {
  readonly from: AddressListInput;
  /** Needed when `from` has several. */
  readonly sender?: AddressInput;
  readonly to?: AddressListInput;
  readonly cc?: AddressListInput;
  readonly bcc?: AddressListInput;
}

/** A message to compose (RFC 5322 §3.6, RFC 2045 §1). */
export interface MessageInput extends CorrespondentsInput {
  readonly replyTo?: AddressListInput;
  readonly subject?: string;
  readonly text?: TextInput;
  readonly html?: TextInput;
  readonly alternatives?: readonly AlternativeInput[];
  readonly attachments?: readonly AttachmentInput[];
  /** Further fields; several of one name as a list. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Default now. */
  readonly date?: Date | number;
  /** With or without brackets; made up when absent. */
  readonly messageId?: string;
  readonly inReplyTo?: string;
  readonly references?: string | readonly string[];
}
