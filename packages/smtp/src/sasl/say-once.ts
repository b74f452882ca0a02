import type { ClientExchange } from './mechanism.ts';

/** The client of a mechanism that has one message to say; undefined: it cannot be said, and the exchange is cancelled (RFC 4422 §3). */
export function sayOnce(initial: Buffer | undefined): ClientExchange {
  let answer = initial;
  return {
    initial,
    // The empty challenge comes when the initial response could not go with the command; a second one is a loop.
    next() {
      const message = answer;
      answer = undefined;
      return message;
    },
  };
}
