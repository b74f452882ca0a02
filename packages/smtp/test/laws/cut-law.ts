import { expect } from 'vitest';

/** All the ways a stream of octets may come in two pieces, in single octets, and whole (first). */
function* cutsOf(input: Buffer): Generator<Buffer[]> {
  yield [Buffer.from(input)];
  yield [...input].map((octet) => Buffer.from([octet]));
  for (let at = 1; at < input.length; at += 1)
    yield [Buffer.from(input.subarray(0, at)), Buffer.from(input.subarray(at))];
}

/**
 * The cut law: a machine sees the same and says the same however its input is cut. `run` makes a new machine, hands the
 * pieces over one after another, and tells what it saw and said. Gives what it told of the whole input.
 */
export function cutLaw<T>(input: Buffer | string, run: (pieces: Buffer[]) => T): T {
  const octets = Buffer.from(input as string);
  let whole: T | undefined;
  for (const pieces of cutsOf(octets)) {
    const told = run(pieces);
    if (whole === undefined) whole = told;
    else
      expect(
        told,
        `cut after ${pieces
          .map(({ length }) => length)
          .join(', ')
          .slice(0, 60)}`,
      ).toEqual(whole);
  }
  return whole as T;
}
