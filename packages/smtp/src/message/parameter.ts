const token = /^[a-zA-Z0-9!#$%&'*+.^_`{|}~-]+$/;
const quotable = /^[ -~]*$/;
/** What stands for itself in an extended value (RFC 2231 §7). */
const attributeCharacter = /^[a-zA-Z0-9!#$&+.^_`{|}~-]$/;
/** Characters of one parameter, so that it has a line for itself. */
const room = 60;

/**
 * Writes a parameter of Content-Type or Content-Disposition as words to fold at; long and foreign values are cut into
 * numbered pieces of whole characters (RFC 2231 §3, RFC 2231 §4).
 */
export function formatParameter(name: string, value: string): string[] {
  const text = value.replace(/\p{Cs}/gu, '\ufffd');
  if (text.length <= room && token.test(text)) return [`${name}=${text}`];
  if (text.length <= room && quotable.test(text)) return [`${name}="${text.replace(/["\\]/g, '\\$&')}"`];
  const pieces = extended(text);
  if (pieces.length === 1) return [`${name}*=utf-8''${pieces[0]}`];
  return pieces.map((piece, index) => `${name}*${index}*=${index === 0 ? "utf-8''" : ''}${piece}`);
}

function extended(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const character of text) {
    const written = attributeCharacter.test(character) ? character : percent(character);
    if (piece.length + written.length > room) {
      pieces.push(piece);
      piece = '';
    }
    piece += written;
  }
  return [...pieces, piece];
}

function percent(character: string): string {
  return Array.from(Buffer.from(character), (octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}
