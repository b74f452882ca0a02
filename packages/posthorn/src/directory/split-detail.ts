/** A local-part taken apart: whose mailbox, and which part of it. */
export interface SplitLocalPart {
  readonly user: string;
  readonly detail: string;
}

/**
 * Splits a local-part at the first of the separators; undefined when there is none, or nothing before it. The addresses of
 * a list's keepers, `owner-x` and `x-request`, are no details (RFC 5233 §4).
 */
export function splitDetail(localPart: string, separators: string): SplitLocalPart | undefined {
  const at = [...localPart].findIndex((character) => separators.includes(character));
  if (at < 1) return undefined;
  const characters = [...localPart];
  if (characters[at] === '-' && /^owner-|-request$/i.test(localPart)) return undefined;
  return { user: characters.slice(0, at).join(''), detail: characters.slice(at + 1).join('') };
}
