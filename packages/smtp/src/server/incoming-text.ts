import type { Failure } from '../failure/failure.ts';
import type { TextCommand } from '../protocol/transaction.ts';

/**
 * The text of a message as it comes in: dots unstuffed, CRLF line ends, pieces in the order of the text. Iterate it once.
 * It throws Failure when the client breaks off or the text is refused (size, bare CR or LF): let that pass through.
 */
export interface IncomingText extends AsyncIterable<Buffer> {
  /** The command that it comes by. */
  readonly by: TextCommand;
  /** Octets seen so far. */
  readonly size: number;
  /**
   * Aborted, with the Failure as its reason, once the reply can be positive no more: the client broke off within the
   * text, the text was refused, or `limits.handlerTime` is over. What is stored after that would be sent twice (RFC 1047 §2).
   */
  readonly signal: AbortSignal;
  /** The reason of `signal` once it is aborted: costs less to ask for than the signal. */
  readonly cancelled: Failure | undefined;
}

/** Octets that may wait for the handler before the client is held back. */
const highWater = 262_144;

const ended = Promise.resolve<IteratorResult<Buffer>>({ done: true, value: undefined });

/** Carries a text from the connection, which puts pieces in, to the handler, which takes them out. */
export class TextQueue implements IncomingText, AsyncIterator<Buffer> {
  readonly by: TextCommand;
  size = 0;
  readonly #pieces: Buffer[] = [];
  #waiting = 0;
  #end: 'none' | 'ended' | 'unwanted' | Failure = 'none';
  /** Wakes the handler. */
  #take: { resolve(result: IteratorResult<Buffer>): void; reject(failure: Failure): void } | undefined;
  /** Wakes the connection. */
  #room: (() => void) | undefined;
  /** Why it comes to nothing. */
  #cancelled: Failure | undefined;
  /** Made when it is asked for. */
  #controller: AbortController | undefined;

  constructor(by: TextCommand) {
    this.by = by;
  }

  get cancelled(): Failure | undefined {
    return this.#cancelled;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    return this.#controller.signal;
  }

  /** Puts a piece in; a promise says when there is room for the next. */
  push(piece: Buffer): Promise<undefined> | undefined {
    if (this.#end !== 'none') return undefined;
    this.size += piece.length;
    if (this.#take !== undefined) {
      this.#take.resolve({ done: false, value: piece });
      this.#take = undefined;
      return undefined;
    }
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (this.#waiting < highWater) return undefined;
    return new Promise((resolve) => {
      this.#room = () => resolve(undefined);
    });
  }

  /** Says that all is there. */
  end(): void {
    if (this.#end !== 'none') return;
    this.#end = 'ended';
    this.#take?.resolve({ done: true, value: undefined });
    this.#take = undefined;
  }

  /**
   * Says that it will never be complete, or is refused: what waits is dropped. A text that is complete may still be kept:
   * clients that hang up behind it do not all come again.
   */
  fail(failure: Failure): void {
    if (this.#end !== 'none' && this.#end !== 'ended') return;
    if (this.#end === 'none') this.#cancel(failure);
    this.#end = failure;
    this.#drop();
    this.#take?.reject(failure);
    this.#take = undefined;
  }

  /** Says that the handler has made up its mind: what waits, and all that comes, is dropped. */
  discard(): void {
    if (this.#end === 'none') this.#end = 'unwanted';
    this.#drop();
  }

  /** Says that the reply was negative, whatever the handler still does. */
  giveUp(failure: Failure): void {
    this.fail(failure);
    this.#cancel(failure);
  }

  /** Whether the error is the failure that this text was ended with. */
  isCause(error: unknown): boolean {
    return error === this.#end;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#waiting -= piece.length;
      if (this.#waiting < highWater) this.#makeRoom();
      return Promise.resolve({ done: false, value: piece });
    }
    if (this.#end === 'ended' || this.#end === 'unwanted') return ended;
    if (this.#end !== 'none') return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#take = { resolve, reject };
    });
  }

  /** The handler leaves its loop early. */
  return(): Promise<IteratorResult<Buffer>> {
    this.discard();
    return ended;
  }

  #cancel(failure: Failure): void {
    this.#cancelled ??= failure;
    this.#controller?.abort(failure);
  }

  #drop(): void {
    this.#pieces.length = 0;
    this.#waiting = 0;
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.();
    this.#room = undefined;
  }
}
