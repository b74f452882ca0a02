import {
  type MailParameters,
  type RcptParameters,
  readMailParameters,
  readRcptParameters,
} from '@posthorn/smtp/command/parameters';
import { parseCommand } from '@posthorn/smtp/command/parse-command';

/** Every extension that has a parameter. */
export const all: ReadonlySet<string> = new Set([
  'SIZE',
  '8BITMIME',
  'BINARYMIME',
  'SMTPUTF8',
  'DSN',
  'AUTH',
  'DELIVERBY',
  'FUTURERELEASE',
  'MT-PRIORITY',
  'NO-SOLICITING',
  'CHECKPOINT',
  'MTRK',
  'REQUIRETLS',
  'RRVS',
]);

export function without(...keywords: string[]): ReadonlySet<string> {
  return new Set([...all].filter((keyword) => !keywords.includes(keyword)));
}

/** The typed parameters of a MAIL line, or code and status of the reply they earn. */
export function mail(text: string, offered: ReadonlySet<string> = all): MailParameters | string {
  const command = parseCommand(`MAIL FROM:<a@b>${text}`);
  if ('code' in command) return `${command.code} ${command.status}`;
  if (command.verb !== 'MAIL') throw new Error(`no command: ${text}`);
  const read = readMailParameters(command.parameters, offered);
  return 'code' in read ? `${read.code} ${read.status}` : read;
}

/** The same for RCPT. */
export function rcpt(text: string, offered: ReadonlySet<string> = all): RcptParameters | string {
  const command = parseCommand(`RCPT TO:<a@b>${text}`);
  if ('code' in command) return `${command.code} ${command.status}`;
  if (command.verb !== 'RCPT') throw new Error(`no command: ${text}`);
  const read = readRcptParameters(command.parameters, offered);
  return 'code' in read ? `${read.code} ${read.status}` : read;
}
