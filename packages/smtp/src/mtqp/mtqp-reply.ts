/** How a command fared: it succeeded, may succeed later, failed, or was none (RFC 3887 §2.3). */
export type MtqpIndicator = 'OK' | 'TEMP' | 'ERR' | 'BAD';

/** A reply to a command, or the greeting (RFC 3887 §2.3). */
export interface MtqpReply {
  readonly indicator: MtqpIndicator;
  /** Words for programs, without slashes: `noinfo`, `tls-required`; case does not count. */
  readonly details: readonly string[];
  /** Words for a log. */
  readonly text: string;
  /** The lines of a multi-line success, without line ends and dot-stuffing. */
  readonly lines?: readonly string[];
}

/** Octets of a line before its CRLF (RFC 3887 §2.2). */
export const longestMtqpLine = 998;

/** Makes a reply of one line; `details` is `noinfo`, or several as `MTQP/admin`. */
export function mtqpReply(indicator: MtqpIndicator, details: string, text: string): MtqpReply {
  return { indicator, details: details === '' ? [] : details.split('/'), text };
}

/** Whether a reply has a detail (RFC 3887 §2.3). */
export function hasDetail({ details }: MtqpReply, detail: string): boolean {
  return details.some((each) => each.toLowerCase() === detail);
}

/** Writes a reply with its CRLFs; lines that begin with a dot get a second one (RFC 3887 §2.3). */
export function formatMtqpReply({ indicator, details, text, lines }: MtqpReply): string {
  const mark = indicator === 'OK' ? `+OK${lines === undefined ? '' : '+'}` : `-${indicator}`;
  const words = details.map((detail) => `/${detail}`).join('');
  const status = `${mark}${words}${text === '' ? '' : ` ${text.replace(/[^\t -~]/g, '?')}`}`;
  const body = lines?.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('');
  return `${status.slice(0, longestMtqpLine)}\r\n${body === undefined ? '' : `${body}.\r\n`}`;
}

const statusLine = /^(\+OK\+?|-TEMP|-ERR|-BAD)((?:\/[^/\s]+)*)(?:[ \t]+(.*))?$/i;

/** Reads the first line of a reply; `isOpen` when more lines follow. Undefined when it is none (RFC 3887 §12). */
export function parseMtqpStatus(line: string): { readonly reply: MtqpReply; readonly isOpen: boolean } | undefined {
  const match = statusLine.exec(line);
  if (match === null) return undefined;
  const [, mark = '', details = '', text = ''] = match;
  const indicator = mark.toUpperCase().replace(/[+-]/g, '') as MtqpIndicator;
  return {
    reply: { indicator, details: details.split('/').slice(1), text: text.trimEnd() },
    isOpen: mark.endsWith('+'),
  };
}
