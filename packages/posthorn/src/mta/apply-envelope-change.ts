import { sameMailbox } from '@posthorn/smtp/address/same-mailbox';
import { everyExtension, readMailParameters, readRcptParameters } from '@posthorn/smtp/command/parameters';
import { parseCommand } from '@posthorn/smtp/command/parse-command';
import type { Transaction } from '@posthorn/smtp/server';
import type { EnvelopeChange } from '../filters/content-verdict.ts';

/** A transaction with one change of a filter; undefined when what it wants is malformed. */
export function applyEnvelopeChange(transaction: Transaction, change: EnvelopeChange): Transaction | undefined {
  const path = /^<.*>$/s.test(change.address) ? change.address : `<${change.address}>`;
  if (change.kind === 'sender') {
    const command = parseCommand(`MAIL FROM:${path}${wordsOf(change)}`);
    if ('code' in command || command.verb !== 'MAIL') return undefined;
    const parameters = readMailParameters(command.parameters, everyExtension);
    if ('code' in parameters) return undefined;
    return { ...transaction, reversePath: command.reversePath, mail: { ...transaction.mail, ...parameters } };
  }
  const command = parseCommand(`RCPT TO:${path}${change.kind === 'add-recipient' ? wordsOf(change) : ''}`);
  if ('code' in command || command.verb !== 'RCPT') return undefined;
  const mailbox = command.forwardPath;
  if (change.kind === 'remove-recipient') {
    const recipients = transaction.recipients.filter((recipient) => !sameMailbox(recipient.mailbox, mailbox));
    return { ...transaction, recipients };
  }
  const parameters = readRcptParameters(command.parameters, everyExtension);
  if ('code' in parameters) return undefined;
  return { ...transaction, recipients: [...transaction.recipients, { mailbox, parameters }] };
}

function wordsOf({ parameters }: { readonly parameters: string }): string {
  return parameters === '' ? '' : ` ${parameters}`;
}
