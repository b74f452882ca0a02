/** Parts of an address that a path may hold. */
export interface PathParts {
  readonly local: string;
  readonly domain: string;
}

/** Octets of one part in a path: leaves room for what a mailbox adds, within the 255 of most file systems. */
const longestPart = 240;

/**
 * Puts parts of an address in the places of `{local}` and `{domain}` in a path. Whatever they hold, each stays one name
 * within its folder, and different parts make different names. Undefined when a part is too long for a file name.
 */
export function fillPath(template: string, { local, domain }: PathParts): string | undefined {
  const safe = { '{local}': safeName(local), '{domain}': safeName(domain) };
  const used = Object.entries(safe).filter(([placeholder]) => template.includes(placeholder));
  if (used.some(([, name]) => Buffer.byteLength(name) > longestPart)) return undefined;
  return template.replace(/\{local\}|\{domain\}/g, (placeholder) => safe[placeholder as keyof typeof safe]);
}

/**
 * A text as one file name: `%XX` for each octet of what could lead elsewhere (slashes, a leading dot, control characters),
 * hide, or mean something to a shell. Empty becomes `%`.
 */
function safeName(text: string): string {
  if (text === '') return '%';
  return text.replace(/^\.|[^\p{L}\p{M}\p{N}.+\-_=@]/gu, encodeOctets);
}

function encodeOctets(character: string): string {
  return [...Buffer.from(character)].map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
