import { formatMailbox, formatReversePath } from '../address/mailbox.ts';
import type { Command, Parameter } from './command.ts';

function formatParameters(parameters: readonly Parameter[]): string {
  let text = '';
  for (const { keyword, value } of parameters) text += value === undefined ? ` ${keyword}` : ` ${keyword}=${value}`;
  return text;
}

function withArgument(verb: string, argument: string): string {
  return argument === '' ? verb : `${verb} ${argument}`;
}

const control = /(?!\t)\p{Cc}/u;

/**
 * Writes a command as one line without CRLF; one with a control character but TAB throws RangeError, for it would be two
 * (RFC 5321 §4.1.1).
 */
export function formatCommand(command: Command): string {
  const line = format(command);
  if (control.test(line)) throw new RangeError(`${command.verb} has a control character`);
  return line;
}

function format(command: Command): string {
  switch (command.verb) {
    case 'HELO':
    case 'EHLO':
    case 'LHLO':
      return `${command.verb} ${command.name}`;
    case 'MAIL':
    case 'SEND':
    case 'SOML':
    case 'SAML':
      return `${command.verb} FROM:${formatReversePath(command.reversePath)}${formatParameters(command.parameters)}`;
    case 'RCPT':
      return `RCPT TO:<${formatMailbox(command.forwardPath)}>${formatParameters(command.parameters)}`;
    case 'BDAT':
      return `BDAT ${command.size}${command.last ? ' LAST' : ''}`;
    case 'AUTH':
      return withArgument(`AUTH ${command.mechanism}`, command.initial ?? '');
    case 'NOOP':
    case 'HELP':
    case 'VRFY':
    case 'EXPN':
    case 'ETRN':
    case 'ATRN':
    case 'BURL':
      return withArgument(command.verb, command.argument);
    default:
      return command.verb;
  }
}
