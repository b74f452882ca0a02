import type { Duplex } from 'node:stream';
import { disown } from './stream-owner.ts';

/** How a connection changes hands. */
export interface HandOver {
  /** The reply that says so, written before anything else. */
  readonly lastWord: string;
  /** Gets the stream, paused, with nothing in it that came before the reply went out. */
  take(stream: Duplex): void;
  /** The stream is gone. */
  closed(stream: Duplex): void;
}

/**
 * Gives a stream away because the roles of its ends are reversed. What came behind the command belongs to no session, and
 * is dropped: it was sent by a client that did not wait, or put in by somebody else (RFC 2645 §5.3).
 */
export function handOver(stream: Duplex, { lastWord, take, closed }: HandOver): void {
  disown(stream);
  dropUnread(stream);
  stream.once('close', () => closed(stream));
  stream.write(lastWord);
  take(stream);
}

/** Stops a stream, and throws away what it holds already. */
export function dropUnread(stream: Duplex): void {
  stream.pause();
  while (stream.read() !== null);
}
