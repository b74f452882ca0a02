/** Characters of one line that a stranger may fill: far below the 998 that a line may have. */
const longestText = 900;

/**
 * Text of strangers as one line of printable ASCII: nothing in it can end a field, or steer the terminal of who reads it
 * (RFC 3464 §4).
 */
export function printable(text: string): string {
  return text.slice(0, longestText).replace(/[^ -~]/gu, '?');
}

/** The same, with letters beyond ASCII where these may stand (RFC 6533 §4.1). */
export function printableUtf8(text: string): string {
  return text.slice(0, longestText).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}
