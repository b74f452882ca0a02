import type { Reply } from '@posthorn/smtp/reply/reply';

/**
 * One change of a header. Indexes of `insert` count all fields of the message, the trace of this host as one: 0 is above
 * all, what is beyond the last goes behind it. Those of `change` count the fields of that name from 1; an empty value takes
 * the field away. Values are as they stand behind the colon, lines parted by LF.
 */
export type FieldChange =
  | { readonly kind: 'add'; readonly name: string; readonly value: Buffer }
  | { readonly kind: 'insert'; readonly index: number; readonly name: string; readonly value: Buffer }
  | { readonly kind: 'change'; readonly index: number; readonly name: string; readonly value: Buffer }
  /** All fields of that name. */
  | { readonly kind: 'remove'; readonly name: string };

/** One change of an envelope; addresses as the filter wrote them, with or without brackets. */
export type EnvelopeChange =
  | { readonly kind: 'sender'; readonly address: string; readonly parameters: string }
  | { readonly kind: 'add-recipient'; readonly address: string; readonly parameters: string }
  | { readonly kind: 'remove-recipient'; readonly address: string };

/** All that a filter wants of a message, or of its envelope. */
export type ContentChange = FieldChange | EnvelopeChange | { readonly kind: 'hold'; readonly reason: string };

/** What a filter finds about a message. What it says of hostile mail never becomes a report (RFC 5321 §6.2). */
export type ContentVerdict =
  | {
      readonly kind: 'pass';
      readonly changes: readonly ContentChange[];
      /** Whether it gave another body, piece by piece, to `writeBody`. */
      readonly isBodyReplaced?: true;
    }
  | { readonly kind: 'refuse'; readonly reply: Reply }
  | { readonly kind: 'discard'; readonly reason: string };

/** A message as a filter sees it: without the trace of this host. */
export interface FilteredContent {
  /** The fields, each with its line ends. */
  readonly fields: readonly Buffer[];
  /** The empty line behind them, or nothing where it is missing. */
  readonly separator: Buffer;
  /** Octets of the body. */
  readonly bodySize: number;
  /** The body from its beginning, in pieces of at most 256 KiB; readable as often as needed. */
  body(): AsyncIterable<Buffer>;
  /** Takes the next piece of another body; throws Failure `limit` when it grows too large. */
  writeBody(piece: Buffer): Promise<void> | undefined;
}
