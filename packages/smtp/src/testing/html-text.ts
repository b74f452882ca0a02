const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
const reference = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));?/gi;
/** A tag that is longer is cut: it is none. */
const longestTag = 16_384;
const hidden = new Set(['style', 'script', 'head', 'title']);
const lineEnding = new Set([
  'br',
  'p',
  'div',
  'tr',
  'td',
  'th',
  'li',
  'table',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'body',
]);

/** One tag of a page. */
interface Tag {
  /** In lower case, with a slash before it where it closes. */
  readonly name: string;
  readonly attributes: string;
  readonly start: number;
  readonly end: number;
}

/** Replaces the character references of HTML: all numbers, and the names that mail has to use. */
function decodeEntities(text: string): string {
  return text.replace(reference, (whole, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return named[name.toLowerCase()] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  });
}

/** The tags of a page, in order; comments are passed over. */
export function* htmlTags(html: string): Generator<Tag, void, undefined> {
  for (let start = html.indexOf('<'); start >= 0; ) {
    let end = start + 1;
    const name = /^\/?[a-z][a-z0-9]*/i.exec(html.slice(end, end + 32))?.[0];
    if (name !== undefined) {
      end = tagEnd(html, start);
      yield { name: name.toLowerCase(), attributes: html.slice(start + 1 + name.length, end - 1), start, end };
    } else if (html.startsWith('!--', end)) {
      const close = html.indexOf('-->', end + 3);
      if (close < 0) return;
      end = close + 3;
    }
    start = html.indexOf('<', end);
  }
}

/** The index behind a tag; a `>` within quotes does not end it. */
function tagEnd(html: string, start: number): number {
  const last = Math.min(html.length, start + longestTag);
  let quote = '';
  for (let at = start + 1; at < last; at += 1) {
    const character = html[at] as string;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at + 1;
  }
  return last;
}

/** The value of an attribute of a tag, its references decoded. */
export function attributeOf({ attributes }: Tag, name: string): string | undefined {
  for (const [, key = '', double, single, bare] of attributes.matchAll(
    /([^\s=/"'>]{1,64})\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g,
  )) {
    if (key.toLowerCase() === name) return decodeEntities(double ?? single ?? bare ?? '').trim();
  }
  return undefined;
}

/** The words of a page, a line for each block; enough to look for something in them. */
export function htmlText(html: string): string {
  let text = '';
  let from = 0;
  let skipped: string | undefined;
  for (const { name, start, end } of htmlTags(html)) {
    if (skipped === undefined) {
      text += html.slice(from, start).replace(/\s+/g, ' ');
      if (lineEnding.has(name.replace('/', ''))) text += '\n';
      if (hidden.has(name)) skipped = name;
    } else if (name === `/${skipped}`) skipped = undefined;
    from = end;
  }
  if (skipped === undefined) text += html.slice(from).replace(/\s+/g, ' ');
  return decodeEntities(text);
}
