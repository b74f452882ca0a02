import { parseContentType } from './content-type.ts';
import { headerFields } from './header.ts';

/** What a message says of how it came about (RFC 3834 §5). */
export interface AutoSubmitted {
  /** In lower case: `no`, `auto-generated`, `auto-replied`, or another token. */
  readonly keyword: string;
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads a value of Auto-Submitted: a word, perhaps with parameters and comments; undefined when it has none (RFC 3834 §5.1). */
export function parseAutoSubmitted(value: string): AutoSubmitted | undefined {
  // Both fields are a token and parameters.
  const read = parseContentType(value);
  return read && { keyword: read.mediaType, parameters: read.parameters };
}

/** Whether a program wrote the message, not a person: whatever the field says but `no`, and be it nonsense (RFC 3834 §2). */
export function isAutoSubmitted(header: Buffer): boolean {
  for (const { name, value } of headerFields(header)) {
    if (name === 'auto-submitted' && parseAutoSubmitted(value)?.keyword !== 'no') return true;
  }
  return false;
}
