import type { IncomingText } from '@posthorn/smtp/server';

/** The same text with other pieces; all else that is known of it stays. */
export function withPieces(text: IncomingText, pieces: () => AsyncIterator<Buffer>): IncomingText {
  return {
    by: text.by,
    get size() {
      return text.size;
    },
    get signal() {
      return text.signal;
    },
    get cancelled() {
      return text.cancelled;
    },
    [Symbol.asyncIterator]: pieces,
  };
}
