/** What every batch may use, by the keywords of EHLO (RFC 2442). */
const always: readonly string[] = ['8BITMIME', 'SIZE', 'DSN'];

/** Extensions of a session whose parameters a batch reader understands; of the others few make sense without replies. */
const understood: ReadonlySet<string> = new Set([
  ...always,
  'SMTPUTF8',
  'CHUNKING',
  'BINARYMIME',
  'PIPELINING',
  'ENHANCEDSTATUSCODES',
  'HELP',
]);

/** Extensions that a generator may use where these were agreed on, in upper case. */
export function offeredExtensions(agreed: readonly string[]): ReadonlySet<string> {
  return new Set([...always, ...agreed.map(keywordOf)]);
}

/** The value of the parameter `required-extensions`: all that a batch with these agreed extensions may use (RFC 2442). */
export function formatRequiredExtensions(agreed: readonly string[] = []): string {
  const more = agreed.map((each) => each.toUpperCase()).filter((each) => !always.includes(keywordOf(each)));
  return ['8bitMIME', 'SIZE', 'NOTARY', ...more].join(',');
}

/** The extensions of a list that a reader does not understand; empty when all is well (RFC 2442). */
export function unknownExtensions(list: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && !understood.has(keywordOf(name)));
}

/** NOTARY is what DSN was called before it had a keyword (RFC 2442). */
function keywordOf(name: string): string {
  const keyword = name.toUpperCase();
  return keyword === 'NOTARY' ? 'DSN' : keyword;
}
