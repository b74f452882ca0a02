import { attributeOf, htmlTags } from './html-text.ts';

const address = /\bhttps?:\/\/[^\s<>"]+/gi;
const ends = /[.,;:!?'"»”’*]$/;

/** The links of a message, each once: the addresses in its text, then where its HTML leads to. */
export function findLinks({ text, html }: { readonly text: string; readonly html: string }): string[] {
  const written = Array.from(text.matchAll(address), ([link]) => withoutEnd(link));
  const followed = [...htmlTags(html)].flatMap((tag) =>
    tag.name === 'a' || tag.name === 'area' ? (attributeOf(tag, 'href') ?? []) : [],
  );
  return [...new Set([...written, ...followed.filter((link) => link !== '' && !link.startsWith('#'))])];
}

/** Takes away what belongs to the sentence and not to the address: also brackets that were not opened in it. */
function withoutEnd(link: string): string {
  const surplus = { ')': count(link, ')') - count(link, '('), ']': count(link, ']') - count(link, '[') };
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1] as string;
    if (last === ')' || last === ']') {
      if (surplus[last] <= 0) break;
      surplus[last] -= 1;
    } else if (!ends.test(last)) break;
  }
  return link.slice(0, end);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
