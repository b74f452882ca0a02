import type { DeliveryReport } from './delivery-report.ts';
import { parseDeliveryStatus } from './parse-delivery-status.ts';
import { type ReadReport, readReport } from './read-report.ts';

/** A delivery status notification, read (RFC 3464 §2). */
export interface ReadDsn extends Omit<ReadReport, 'fields'> {
  readonly report: DeliveryReport;
}

const statusTypes = ['message/delivery-status', 'message/global-delivery-status'];

/** Reads a delivery status notification; undefined when the message is none (RFC 3464 §2, RFC 6533 §4.4). */
export function parseDsn(message: Buffer): ReadDsn | undefined {
  const read = readReport(message, statusTypes);
  const report = read && parseDeliveryStatus(read.fields);
  if (read === undefined || report === undefined) return undefined;
  const { fields: _, ...rest } = read;
  return { report, ...rest };
}
