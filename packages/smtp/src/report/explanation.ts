import { formatDate } from '../message/date.ts';
import { describeStatus } from '../reply/registry.ts';
import { adviceFor } from './advice.ts';
import type { Action, DeliveryReport, ReportedRecipient } from './delivery-report.ts';
import { replyLines } from './diagnostic.ts';
import { printable, printableUtf8 } from './printable.ts';
import { parseFinalRecipient } from './typed-address.ts';

const width = 76;

/** In the order of weight: what a report of several is called after. */
const weights: readonly Action[] = ['failed', 'delayed', 'expanded', 'relayed', 'delivered'];

const subjects: Readonly<Record<Action, string>> = {
  failed: 'Your message was not delivered',
  delayed: 'Your message is delayed',
  expanded: 'Your message was passed on to several addresses',
  relayed: 'Your message was passed on',
  delivered: 'Your message was delivered',
};

const sentences: Readonly<Record<Action, string>> = {
  failed: 'It could not be delivered to the following, and will not be tried again:',
  delayed: 'It has not been delivered to the following yet, and will be tried again. You need not send it again:',
  expanded: 'It was delivered to the following, and passed on from there to several addresses:',
  relayed: 'It was passed on for the following to another mail system, which may not report what becomes of it:',
  delivered: 'It was delivered to the following:',
};

/** What a report knows beyond its machine-readable part. */
export interface ExplanationFacts {
  readonly report: DeliveryReport;
  /** Whom a person can ask. */
  readonly postmaster: string;
  readonly returned: 'message' | 'headers' | 'none';
}

/** The weightiest of the actions that a report tells of (RFC 3464 §2.3.3). */
function leadingAction(report: DeliveryReport): Action {
  return weights.find((action) => report.recipients.some((recipient) => recipient.action === action)) ?? 'failed';
}

/** The subject of a report (RFC 3464 §2). */
export function reportSubject(report: DeliveryReport): string {
  return subjects[leadingAction(report)];
}

/** What a report says to people: in plain words what happened to whom, why, and what to do (RFC 6522 §3). */
export function explain({ report, postmaster, returned }: ExplanationFacts): string {
  const when = report.arrivalDate === undefined ? '' : ` that arrived here on ${formatDate(report.arrivalDate)}`;
  const sections = weights.map((action) => explainAction(action, report)).filter((section) => section !== '');
  const end = { message: 'Your message is attached.', headers: 'The header of your message is attached.', none: '' };
  const help = `For help write to ${postmaster} and include this report.`;
  return [
    wrap(
      `This is the mail system of ${printable(report.reportingMta)}. It reports about a message of yours${when}.`,
      '',
    ),
    ...sections,
    wrap(`${end[returned]} ${help}`.trim(), ''),
  ].join('\r\n');
}

function explainAction(action: Action, report: DeliveryReport): string {
  const concerned = report.recipients.filter((recipient) => recipient.action === action);
  if (concerned.length === 0) return '';
  return [wrap(sentences[action], ''), ...concerned.map(explainRecipient)].join('\r\n');
}

function explainRecipient(recipient: ReportedRecipient): string {
  const { finalRecipient, originalRecipient, action, status, willRetryUntil } = recipient;
  const original = originalRecipient && parseFinalRecipient(originalRecipient);
  const isOther = original !== undefined && original.toLowerCase() !== finalRecipient.toLowerCase();
  const tip = action === 'failed' ? adviceFor(status) : undefined;
  const until = action === 'delayed' && willRetryUntil !== undefined ? formatDate(willRetryUntil) : undefined;
  return [
    `  <${printableUtf8(finalRecipient)}>\r\n`,
    isOther ? `    (written to as ${printableUtf8(original)})\r\n` : '',
    explainReason(recipient),
    tip === undefined ? '' : wrap(tip, '    '),
    until === undefined ? '' : wrap(`It will be tried until ${until}.`, '    '),
  ].join('');
}

function explainReason({ diagnostic, remoteMta, action, status }: ReportedRecipient): string {
  if (diagnostic === undefined) {
    const isNews = action === 'failed' || action === 'delayed';
    return isNews ? wrap(`(${status}, ${describeStatus(status)})`, '    ') : '';
  }
  if (!('reply' in diagnostic)) return wrap(`${printable(diagnostic.text)} (${status})`, '    ');
  const who = remoteMta === undefined ? 'The mail system' : `The host ${printable(remoteMta)}`;
  const words = replyLines(diagnostic.reply).map((line) => wrap(line, '      '));
  return [wrap(`${who} said:`, '    '), ...words].join('');
}

/** Breaks text at blanks into lines of the width; a longer word stays whole. */
function wrap(text: string, indent: string): string {
  let lines = '';
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines += `${line}\r\n`;
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return `${lines}${line}\r\n`;
}
