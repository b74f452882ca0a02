import { encodeWords } from './encoded-word.ts';
import { foldField } from './fold.ts';
import { headerFields } from './header.ts';

/** What a mailing list says about itself in each of its copies; addresses are URLs (RFC 2369 §3, RFC 2919 §3). */
export interface ListFields {
  /** Its identifier, `label.domain`, at most 255 octets. */
  readonly id: string;
  /** Its name for people. */
  readonly name?: string;
  readonly help?: readonly string[];
  readonly unsubscribe?: readonly string[];
  /** Whether the one https URL of `unsubscribe` takes a POST without a further question (RFC 8058 §3.1). */
  readonly oneClick?: boolean;
  readonly subscribe?: readonly string[];
  /** `NO`: nobody may post (RFC 2369 §3.4). */
  readonly post?: readonly string[] | 'NO';
  readonly owner?: readonly string[];
  readonly archive?: readonly string[];
}

/** The fields of a list that a nested list replaces by its own, in lower case (RFC 2369 §4, RFC 2919 §6, RFC 8058 §3.1). */
const replaced: ReadonlySet<string> = new Set(
  ['id', 'help', 'unsubscribe', 'unsubscribe-post', 'subscribe', 'post', 'owner', 'archive'].map(
    (one) => `list-${one}`,
  ),
);

/** A label or domain of letters, digits, signs and dots (RFC 2919 §3). */
const listId = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)+$/;
const url = /^[a-z][a-z0-9+.-]*:[!-;=?-~]{1,900}$/i;

/** Whether a text can identify a list: `label.domain` (RFC 2919 §3). */
export function isListId(text: string): boolean {
  return text.length <= 255 && listId.test(text);
}

/** Whether a text is a URL that a List- field can hold (RFC 2369 §2). */
export function isListUrl(text: string): boolean {
  return url.test(text) && !text.includes(',');
}

/** Writes the fields of a list, each at most once (RFC 2369 §3, RFC 2919 §3, RFC 8058 §3.1). */
export function formatListFields(fields: ListFields): string {
  const { id, name, unsubscribe = [], oneClick, post } = fields;
  const phrase = name === undefined || name === '' ? [] : phraseWords(name);
  return [
    foldField('List-Id', [...phrase, `<${id}>`]),
    urls('List-Help', fields.help),
    urls('List-Unsubscribe', unsubscribe),
    oneClick === true ? 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n' : '',
    urls('List-Subscribe', fields.subscribe),
    post === 'NO' ? 'List-Post: NO\r\n' : urls('List-Post', post),
    urls('List-Owner', fields.owner),
    urls('List-Archive', fields.archive),
  ].join('');
}

/** A header without the fields that a list replaces; all others keep every octet (RFC 2369 §4). */
export function withoutListFields(header: Buffer): Buffer {
  const kept = [...headerFields(header)].filter(({ name }) => !replaced.has(name));
  return Buffer.concat(kept.map(({ raw }) => raw));
}

/** The identifiers of the lists that a message came through, in lower case (RFC 2919 §3). */
export function listIdsOf(header: Buffer): string[] {
  const ids: string[] = [];
  for (const { name, value } of headerFields(header)) {
    const open = name === 'list-id' ? value.lastIndexOf('<') : -1;
    const close = value.indexOf('>', open);
    if (open >= 0 && close > open)
      ids.push(
        value
          .slice(open + 1, close)
          .replace(/[ \t]+/g, '')
          .toLowerCase(),
      );
  }
  return ids;
}

function phraseWords(name: string): string[] {
  const isPlain = /^[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+$/.test(name) && !name.includes('=?');
  return isPlain ? name.split(' ').filter((word) => word !== '') : encodeWords(name);
}

function urls(field: string, list: readonly string[] | undefined): string {
  if (list === undefined || list.length === 0) return '';
  return foldField(
    field,
    list.map((one, index) => `<${one}>${index < list.length - 1 ? ',' : ''}`),
  );
}
