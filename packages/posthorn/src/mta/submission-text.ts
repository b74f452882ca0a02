import { HeaderCollector } from '@posthorn/smtp/message/header-collector';
import { reply } from '@posthorn/smtp/reply/reply';
import type { IncomingText } from '@posthorn/smtp/server';
import { Refusal } from './refusal.ts';

/** Octets that a header may have; it is held in memory (1 MiB). */
const headerLimit = 2 ** 20;
const tooLong = reply(552, '5.3.4', 'The header of the message is too long');

/** Gives a header as it is sent on, or throws Refusal. */
export type HeaderCompletion = (header: Buffer) => Buffer | Promise<Buffer>;

/** Is shown what stands behind the header, piece by piece, from the empty line on. */
type BodyWatch = (piece: Buffer) => void;

/** A text whose header is replaced as soon as it is all there; its body passes octet by octet (RFC 6409 §8). */
export function withCompletedHeader(text: IncomingText, complete: HeaderCompletion, watch?: BodyWatch): IncomingText {
  return {
    get size() {
      return text.size;
    },
    by: text.by,
    get signal() {
      return text.signal;
    },
    get cancelled() {
      return text.cancelled;
    },
    [Symbol.asyncIterator]: () => pieces(text, complete, watch),
  };
}

async function* pieces(
  text: IncomingText,
  complete: HeaderCompletion,
  watch?: BodyWatch,
): AsyncGenerator<Buffer, void, undefined> {
  const collector = new HeaderCollector(headerLimit);
  let known = false;
  for await (const piece of text) {
    if (known) {
      watch?.(piece);
      yield piece;
    } else if (collector.write(piece)) {
      known = true;
      yield* opening(collector, complete, watch);
    }
  }
  if (!known) yield* opening(collector, complete, watch);
}

async function* opening(
  { header, rest }: HeaderCollector,
  complete: HeaderCompletion,
  watch?: BodyWatch,
): AsyncGenerator<Buffer, void, undefined> {
  // What is cut elsewhere than at an empty line is cut for its length.
  if (header.length + rest.length >= headerLimit && !/^\r?\n/.test(rest.toString('latin1', 0, 2))) {
    throw new Refusal(tooLong);
  }
  yield await complete(header);
  if (rest.length === 0) return;
  watch?.(rest);
  yield rest;
}
