const name = /^[A-Za-z][A-Za-z0-9_]*$/;
const value = /^[!-:<-~ \t\r\n\x80-\xff]*$/;

/** A list of tags and their values, blanks around both left out (RFC 6376 §3.2). */
export type TagList = ReadonlyMap<string, string>;

/** Reads a list of tags; undefined when it is malformed or names a tag twice (RFC 6376 §3.2). */
export function parseTagList(text: string): TagList | undefined {
  const tags = new Map<string, string>();
  const parts = text.split(';');
  if (parts.at(-1)?.trim() === '') parts.pop();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(equals, 0)).trim();
    const content = part.slice(equals + 1).trim();
    if (equals < 0 || !name.test(key) || !value.test(content) || tags.has(key)) return undefined;
    tags.set(key, content);
  }
  return tags;
}

/** A value without any blanks, as base64 and lists of names are written over several lines (RFC 6376 §3.2). */
export function withoutBlanks(text: string): string {
  return text.replace(/[ \t\r\n]+/g, '');
}
