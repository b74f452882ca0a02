import { isAscii } from 'node:buffer';
import type { Mailbox } from '../address/mailbox.ts';
import { parseMailbox } from '../address/parse-mailbox.ts';
import { Base64Encoder } from '../bytes/base64.ts';
import { formatAddrSpec } from './addr-spec.ts';
import { answerSubject, cleanText } from './answer-subject.ts';
import { formatDate } from './date.ts';
import { type EncodedBody, encodeText } from './encoded-body.ts';
import { formatTextField } from './encoded-word.ts';
import { foldField } from './fold.ts';
import { formatAddressField } from './format-address-list.ts';
import { threadFieldsOf } from './thread.ts';

/** What an automatic reply is made of (RFC 3834 §3). */
export interface AutoReplyInput {
  /** The header of the message that is answered. */
  readonly header: Buffer;
  /** Its reverse-path, `local@domain`: the one whom the answer is for (RFC 3834 §4). */
  readonly reversePath: string;
  /** On whose behalf it is. */
  readonly from: { readonly name?: string; readonly mailbox: Mailbox };
  /** Instead of `Auto: ` and the subject of the message. */
  readonly subject?: string;
  /** What it says, in a few lines. */
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of this host, minutes east of UTC; default 0. */
  readonly offsetMinutes?: number;
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}

/** An automatic reply; its envelope has the null reverse-path, and NOTIFY=NEVER for its one recipient (RFC 3834 §3.3). */
export interface AutoReply {
  readonly content: Buffer;
  /** Whether it needs SMTPUTF8. */
  readonly smtputf8: boolean;
}

/** Composes an automatic reply, whose reverse-path must be a valid address; `whyNoAutoReply` says when there must be none (RFC 3834 §3). */
export function composeAutoReply(input: AutoReplyInput): AutoReply {
  const { header, reversePath, from, now, offsetMinutes, random } = input;
  const sender = formatAddressField('From', [from]);
  const recipient = parseMailbox(reversePath, { utf8: true });
  const to = recipient === undefined ? { text: reversePath, utf8: false } : formatAddrSpec(recipient);
  const domain = formatAddrSpec({ localPart: 'x', domain: from.mailbox.domain }).text.slice(2);
  const body = encodeText(input.text.endsWith('\n') ? input.text : `${input.text}\r\n`);
  const fields = [
    sender.text,
    foldField('To', [`<${to.text}>`]),
    input.subject === undefined ? answerSubject('Auto:', header) : formatTextField('Subject', cleanText(input.subject)),
    foldField('Date', [formatDate(now, offsetMinutes)]),
    foldField('Message-ID', [`<${random(16).toString('hex')}@${isAscii(Buffer.from(domain)) ? domain : 'localhost'}>`]),
    threadFieldsOf(header),
    foldField('Auto-Submitted', ['auto-replied']),
    foldField('MIME-Version', ['1.0']),
    foldField('Content-Type', ['text/plain;', 'charset=utf-8']),
    foldField('Content-Transfer-Encoding', [body.encoding]),
  ];
  const content = Buffer.concat([Buffer.from(`${fields.join('')}\r\n`), writtenBody(body)]);
  return { content, smtputf8: sender.utf8 || to.utf8 };
}

function writtenBody(body: EncodedBody): Buffer {
  if ('written' in body) return body.written;
  if (!Buffer.isBuffer(body.octets)) throw new Error('A text is no stream');
  const encoder = new Base64Encoder();
  return Buffer.concat([encoder.write(body.octets), encoder.end()]);
}
