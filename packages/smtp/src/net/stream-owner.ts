import type { Duplex } from 'node:stream';

/** Who is told what happens on a stream. */
export interface StreamOwner {
  receive(bytes: Buffer): void;
  /** The far end sends nothing more. */
  inputEnded(): void;
  /** What was written is on its way. */
  drained(): void;
  /** The stream is gone. */
  closed(stream: Duplex): void;
}

const owner: unique symbol = Symbol('owner');
type Owned = Duplex & { [owner]?: StreamOwner | undefined };

/** Tells the owner from now on. */
export function own(stream: Owned, by: StreamOwner): void {
  stream[owner] = by;
  stream.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', ignore).on('close', onClose);
}

/** Tells nobody any more. The listener for errors stays: a stream without one would end the process. */
export function disown(stream: Owned): void {
  stream[owner] = undefined;
  stream.off('data', onData).off('end', onEnd).off('drain', onDrain).off('close', onClose);
}

// One function for all streams: ten thousand idle ones must not have five closures each.
function onData(this: Owned, bytes: Buffer): void {
  this[owner]?.receive(bytes);
}

function onEnd(this: Owned): void {
  this[owner]?.inputEnded();
}

function onDrain(this: Owned): void {
  this[owner]?.drained();
}

function onClose(this: Owned): void {
  this[owner]?.closed(this);
}

/** What an error ends, `close` tells. */
function ignore(): void {}
