import { parseMailbox } from '../address/parse-mailbox.ts';
import { sameMailbox } from '../address/same-mailbox.ts';

/** A text that has to be the same, or a pattern for it. An address is the same whatever the case of its letters. */
export type Pattern = string | RegExp;

/** Which mail is meant; what is left out may be anything. */
export interface MailFilter {
  /** A recipient of the envelope. */
  readonly to?: Pattern;
  /** The sender of the envelope, or the author in the header. */
  readonly from?: Pattern;
  readonly subject?: Pattern;
}

/** What a filter looks at. */
interface Filtered {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly from: { readonly address: string } | undefined;
  readonly subject: string;
}

/** Whether a text is the one that is meant. */
export function matchesText(text: string, pattern: Pattern): boolean {
  return typeof pattern === 'string' ? text === pattern : text.search(pattern) >= 0;
}

/** Whether an address is the one that is meant; the empty string is the null reverse-path. */
export function matchesAddress(address: string, pattern: Pattern): boolean {
  if (typeof pattern !== 'string') return matchesText(address, pattern);
  const [one, other] = [address, pattern].map((text) => parseMailbox(text, { utf8: true }));
  if (one === undefined || other === undefined) return address === pattern;
  return sameMailbox(one, other, { caseSensitive: false });
}

/** Whether a mail is one that the filter means. */
export function matchesMail({ envelope, from, subject }: Filtered, filter: MailFilter): boolean {
  const senders = from === undefined ? [envelope.from] : [envelope.from, from.address];
  return (
    (filter.to === undefined || envelope.to.some((address) => matchesAddress(address, filter.to as Pattern))) &&
    (filter.from === undefined || senders.some((address) => matchesAddress(address, filter.from as Pattern))) &&
    (filter.subject === undefined || matchesText(subject, filter.subject))
  );
}

/** A filter in words. */
export function describeFilter({ to, from, subject }: MailFilter): string {
  const words = [
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(subject === undefined
      ? []
      : [`with the subject ${typeof subject === 'string' ? JSON.stringify(subject) : subject}`]),
  ];
  return ['mail', ...words].join(' ');
}

/** A mail in a line. */
export function describeMail({ envelope, subject }: Filtered): string {
  return `${JSON.stringify(subject)} from <${envelope.from}> to ${envelope.to.map((address) => `<${address}>`).join(', ')}`;
}
