import type { HeaderField } from '@posthorn/smtp/message/header';
import { chooseFields, signedText } from './canonical-field.ts';
import { type SigningKey, signOctets } from './signing-key.ts';

/** Fields that are signed once more than they are there, so that none can be added (RFC 6376 §5.4, RFC 6376 §8.15). */
const closed = [
  'From',
  'Sender',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'To',
  'Cc',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'In-Reply-To',
  'References',
];
/** Fields that are signed where they are there (RFC 6376 §5.4.1). */
const open = [
  'Content-ID',
  'Content-Description',
  'Content-Disposition',
  'Content-Language',
  'Resent-Date',
  'Resent-From',
  'Resent-To',
  'Resent-Cc',
  'Resent-Message-ID',
  'List-Id',
  'List-Help',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'Auto-Submitted',
];

/** Columns of a line that is folded. */
const columns = 76;

/** The names of the fields that a signature of ours covers (RFC 6376 §5.4). */
export function namesToSign(fields: readonly HeaderField[]): string[] {
  const counts = new Map<string, number>();
  for (const { name } of fields) counts.set(name, (counts.get(name) ?? 0) + 1);
  const times = (name: string, more: number) =>
    new Array<string>((counts.get(name.toLowerCase()) ?? 0) + more).fill(name);
  return [...closed.flatMap((name) => times(name, 1)), ...open.flatMap((name) => times(name, 0))];
}

/** What one signature is made of. */
export interface SignatureParts {
  /** The name of the field. */
  readonly name: string;
  /** Its tags in their order; `b` stands empty at its place. */
  readonly tags: readonly (readonly [string, string])[];
  readonly key: SigningKey;
  /** What is signed, without the field itself. */
  readonly chosen: readonly HeaderField[];
}

/** Writes a signature field with its line end (RFC 6376 §3.5). */
export function composeSignatureField({ name, tags, key, chosen }: SignatureParts): string {
  const field = (b: string) =>
    foldTags(
      name,
      tags.map(([tag, value]) => `${tag}=${tag === 'b' ? b : value}`),
    );
  const signature = signOctets(key, signedText(chosen, field(''), 'relaxed')).toString('base64');
  return field(signature);
}

/** A message that is signed. */
export interface ToSign {
  readonly fields: readonly HeaderField[];
  /** The relaxed digest of its body. */
  readonly bodyHash: Buffer;
  readonly key: SigningKey;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Writes the DKIM-Signature of a message, relaxed in both of its parts (RFC 6376 §5). */
export function composeDkimSignature({ fields, bodyHash, key, now }: ToSign): string {
  const names = namesToSign(fields);
  return composeSignatureField({
    name: 'DKIM-Signature',
    tags: [
      ['v', '1'],
      ['a', key.algorithm],
      ['c', 'relaxed/relaxed'],
      ['d', key.domain],
      ['s', key.selector],
      ['t', String(Math.floor(now / 1000))],
      ['h', names.join(':')],
      ['bh', bodyHash.toString('base64')],
      ['b', ''],
    ],
    key,
    chosen: chooseFields(fields, names),
  });
}

/** Writes tags as a field: lines end between tags, within lists of names behind a colon, and anywhere within the value of b. */
export function foldTags(name: string, tags: readonly string[]): string {
  let field = `${name}:`;
  let column = field.length;
  for (const [index, tag] of tags.entries()) {
    const text = tag + (index < tags.length - 1 ? ';' : '');
    const breaks = column + 1 + Math.min(text.length, tag.startsWith('b=') ? 20 : columns) > columns;
    field += breaks ? '\r\n ' : ' ';
    column = breaks ? 1 : column + 1;
    for (const piece of pieces(text, column)) {
      field += piece;
      column = piece.startsWith('\r\n') ? piece.length - 2 : column + piece.length;
    }
  }
  return `${field}\r\n`;
}

function* pieces(text: string, column: number): Generator<string, void, undefined> {
  if (text.startsWith('b=')) {
    const first = columns - column;
    yield text.slice(0, first);
    for (let at = first; at < text.length; at += columns - 1) yield `\r\n ${text.slice(at, at + columns - 1)}`;
  } else if (text.startsWith('h=')) {
    let used = column;
    for (const name of text.split(/(?<=:)/)) {
      const breaks = used + name.length > columns && used > 1;
      yield breaks ? `\r\n ${name}` : name;
      used = (breaks ? 1 : used) + name.length;
    }
  } else yield text;
}
