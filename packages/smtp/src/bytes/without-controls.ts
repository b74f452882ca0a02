/**
 * Text with a `?` for each control character: a line break in it would make a line of its own, others could steer the
 * terminal that shows a log (RFC 5321 §4.1.2).
 */
export function withoutControls(text: string): string {
  return /\p{Cc}/u.test(text) ? text.replace(/\p{Cc}/gu, '?') : text;
}
