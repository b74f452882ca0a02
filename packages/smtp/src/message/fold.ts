/** Columns of a line that is folded (RFC 5322 §2.1.1). */
const columns = 76;

/** Writes a header field from words with one blank between them; a line ends before the word that would be too much (RFC 5322 §2.2.3). */
export function foldField(name: string, words: readonly string[]): string {
  let field = `${name}:`;
  let column = field.length;
  for (const word of words) {
    // The first word stays beside the name if it can: some readers take a name without text for an empty field.
    const breaks = column + 1 + word.length > columns && column > 0;
    field += breaks ? `\r\n ${word}` : ` ${word}`;
    column = (breaks ? 0 : column) + 1 + word.length;
  }
  return `${field}\r\n`;
}
