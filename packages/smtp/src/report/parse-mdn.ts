import { headerFields } from '../message/header.ts';
import { parseDisposition } from './disposition.ts';
import type { DispositionReport } from './disposition-report.ts';
import { type Fields, mtaName, optional, readGroups, text } from './read-recipient-fields.ts';
import { type ReadReport, readReport } from './read-report.ts';
import { parseFinalRecipient, parseOriginalRecipient } from './typed-address.ts';

/** A message disposition notification, read (RFC 8098 §3). */
export interface ReadMdn extends Omit<ReadReport, 'fields'> {
  readonly report: DispositionReport;
}

const types = ['message/disposition-notification', 'message/global-disposition-notification'];
/** Words about what went wrong, at most so many. */
const mostErrors = 100;

/** Reads a message disposition notification; undefined when the message is none (RFC 8098 §3, RFC 6533 §5). */
export function parseMdn(message: Buffer): ReadMdn | undefined {
  const read = readReport(message, types);
  const report = read && parseFields(read.fields);
  if (read === undefined || report === undefined) return undefined;
  const { fields: _, ...rest } = read;
  return { report, ...rest };
}

/** Comments may stand behind an address; the recipient and what was done must be told (RFC 8098 §3.1). */
function parseFields(part: Buffer): DispositionReport | undefined {
  const [fields] = readGroups(part) as Iterable<Fields>;
  const disposition = parseDisposition((fields && text(fields, 'disposition')) ?? '');
  const finalRecipient = fields && text(fields, 'final-recipient');
  if (fields === undefined || disposition === undefined || finalRecipient === undefined) return undefined;
  const originalRecipient = text(fields, 'original-recipient');
  const gateway = text(fields, 'mdn-gateway');
  return {
    ...optional('reportingUa', text(fields, 'reporting-ua')),
    ...optional('gateway', gateway && mtaName(gateway)),
    ...optional('originalRecipient', originalRecipient && parseOriginalRecipient(originalRecipient)),
    finalRecipient: parseFinalRecipient(finalRecipient),
    ...optional('originalMessageId', text(fields, 'original-message-id')),
    disposition,
    errors: errorsOf(part),
  };
}

function errorsOf(part: Buffer): string[] {
  const errors: string[] = [];
  for (const { name, value } of headerFields(part)) {
    if (name === 'error' && errors.length < mostErrors) errors.push(value);
  }
  return errors;
}
