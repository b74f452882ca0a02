import { foldField } from './fold.ts';
import { fieldValue } from './header.ts';

const identifier = /^<[!-;=?-~]{1,250}>$/;
/** Messages of a thread that an answer names, beside the first. */
const mostReferences = 20;

/** The identifier of a message, if it has one that can be named (RFC 5322 §3.6.4). */
export function messageIdOf(header: Buffer): string | undefined {
  const id = fieldValue(header, 'message-id');
  return id !== undefined && identifier.test(id) ? id : undefined;
}

/** In-Reply-To and References of an answer to a message; nothing where that has no identifier (RFC 5322 §3.6.4). */
export function threadFieldsOf(header: Buffer): string {
  const id = messageIdOf(header);
  if (id === undefined) return '';
  const given = fieldValue(header, 'references') ?? fieldValue(header, 'in-reply-to') ?? '';
  const known = given.slice(0, 20_000).match(/<[!-;=?-~]{1,250}>/g) ?? [];
  const before = known.length <= mostReferences ? known : [known[0] as string, ...known.slice(1 - mostReferences)];
  return foldField('In-Reply-To', [id]) + foldField('References', [...before, id]);
}
