/** Blanks of other scripts, which stand for a blank (RFC 3454 §C.1.2). */
const otherBlanks = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** What is commonly mapped to nothing (RFC 3454 §B.1). */
const nothing = /\u034f|[\u180b-\u180d]|[\ufe00-\ufe0f]|\u200d|[\u00ad\u1806\u200c\u2060\ufeff]/gu;
/** Control characters, private use, and what is no character (RFC 3454 §C.2). */
const prohibited =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u2028\u2029\u2061-\u206f\ufff9-\ufffd]/u;

/**
 * Makes two ways of writing a user name or password one; undefined for what neither may hold (RFC 4013 §2).
 * Deviates: neither the order of scripts nor whether Unicode 3.2 knew a character is looked at.
 */
export function prepareText(text: string): string | undefined {
  const mapped = text.replace(otherBlanks, ' ').replace(nothing, '').normalize('NFKC');
  return mapped === '' || prohibited.test(mapped) ? undefined : mapped;
}
