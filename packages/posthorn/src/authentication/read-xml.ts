/** An element of XML with what is within it. */
export interface XmlElement {
  /** Without the prefix of its namespace. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

interface Building {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const mostDepth = 32;
const mostElements = 2_000_000;
const known: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads plain XML, as reports are: elements and text. What names entities of its own is refused, for those are the way in
 * which a small file becomes a large one, or reads others. Undefined when it is malformed, too deep or too large.
 */
export function readXml(text: string): XmlElement | undefined {
  const root: Building = { name: '', children: [], text: '' };
  const open: Building[] = [root];
  let elements = 0;
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; ) {
    const current = open.at(-1) as Building;
    const tag = text.indexOf('<', at);
    const end = tag < 0 ? text.length : tag;
    if (end > at) {
      const plain = decode(text.slice(at, end));
      if (plain === undefined) return undefined;
      current.text += plain;
    }
    if (tag < 0) break;
    const markup = readMarkup(text, tag);
    if (markup === undefined) return undefined;
    at = markup.end;
    current.text += markup.text ?? '';
    if (markup.kind === 'close') {
      if (open.length < 2 || current.name !== markup.name) return undefined;
      open.pop();
    } else if (markup.kind !== 'other') {
      const element: Building = { name: markup.name, children: [], text: '' };
      elements += 1;
      if (elements > mostElements || open.length > mostDepth) return undefined;
      current.children.push(element);
      if (markup.kind === 'open') open.push(element);
    }
  }
  const [only, second] = root.children;
  return open.length === 1 && second === undefined && root.text.trim() === '' ? only : undefined;
}

interface Markup {
  readonly kind: 'open' | 'close' | 'empty' | 'other';
  readonly name: string;
  /** The index behind it. */
  readonly end: number;
  readonly text?: string;
}

/** Sections that are passed over, and one that holds text. */
const sections = [
  ['<!--', '-->'],
  ['<?', '?>'],
  ['<![CDATA[', ']]>'],
] as const;

function readMarkup(text: string, start: number): Markup | undefined {
  for (const [begin, close] of sections) {
    if (!text.startsWith(begin, start)) continue;
    const found = text.indexOf(close, start + begin.length);
    if (found < 0) return undefined;
    const inner = begin === '<![CDATA[' ? { text: text.slice(start + begin.length, found) } : {};
    return { kind: 'other', name: '', end: found + close.length, ...inner };
  }
  // A document type is where entities would be made.
  if (text[start + 1] === '!') return undefined;
  const end = tagEnd(text, start);
  if (end < 0) return undefined;
  const isClose = text[start + 1] === '/';
  const inner = text.slice(start + (isClose ? 2 : 1), end);
  const isEmpty = inner.endsWith('/');
  const name = /^[^\s/>]+/.exec(inner)?.[0];
  if (name === undefined) return undefined;
  const kind = isClose ? 'close' : isEmpty ? 'empty' : 'open';
  return { kind, name: name.slice(name.indexOf(':') + 1), end: end + 1 };
}

/** The index of the `>` that ends a tag: those within quotes do not. */
function tagEnd(text: string, start: number): number {
  let quote = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
    else if (character === '<') return -1;
  }
  return -1;
}

function decode(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let isGood = true;
  const plain = text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
    const point =
      code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    const value = known[name] ?? (point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : undefined);
    isGood &&= value !== undefined && whole.endsWith(';');
    return value ?? '';
  });
  return isGood ? plain : undefined;
}
