import { formatTextField } from './encoded-word.ts';
import { foldField } from './fold.ts';
import { fieldValue } from './header.ts';

/** Characters of a subject that are repeated. */
const longestSubject = 300;

/**
 * The Subject field of what answers a message or passes it on: a word before that of the message. Its encoded words stay
 * whole: each is a word of its own, and lines end between words (RFC 3834 §3.1.5).
 */
export function answerSubject(prefix: string, header: Buffer): string {
  const words = [prefix, ...cleanText(fieldValue(header, 'subject') ?? '').split(' ')].filter((word) => word !== '');
  let length = 0;
  const kept = words.filter((word) => {
    length += word.length + 1;
    return length <= longestSubject;
  });
  const isPlain = kept.every((word) => /^[!-~]{1,75}$/.test(word));
  return isPlain ? foldField('Subject', kept) : formatTextField('Subject', kept.join(' '));
}

/** Text that cannot end its field. */
export function cleanText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
}
