import { withoutFields } from './header.ts';
import { HeaderCollector } from './header-collector.ts';

/** Writes the Return-Path field of a reverse-path without brackets, empty for the null path (RFC 5321 §4.4). */
export function formatReturnPath(reversePath: string): string {
  return `Return-Path: <${reversePath}>\r\n`;
}

/** What came for the way alone, and ends with it (RFC 5321 §4.4, RFC 7293 §5.2). */
const spent = ['return-path', 'require-recipient-valid-since'];

/**
 * A message as final delivery stores it: one Return-Path on top, those that came with it removed as well as what was only
 * for the way, and every other octet as it was (RFC 5321 §4.4). The pieces of the result may share memory with those given.
 */
export async function* withReturnPath(
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
  reversePath: string,
): AsyncGenerator<Buffer, void, undefined> {
  const collector = new HeaderCollector();
  let known = false;
  for await (const piece of content) {
    if (known) yield piece;
    else if (collector.write(piece)) {
      known = true;
      yield opening(collector, reversePath);
    }
  }
  if (!known) yield opening(collector, reversePath);
}

function opening({ header, rest }: HeaderCollector, reversePath: string): Buffer {
  return Buffer.concat([Buffer.from(formatReturnPath(reversePath)), withoutFields(header, ...spent), rest]);
}
