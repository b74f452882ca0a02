import { formatDate } from '@posthorn/smtp/message/date';
import type { TrackedHop, TrackedRecipient, TrackingReport } from '@posthorn/smtp/tracking';
import { describeMtqpReply } from '@posthorn/smtp/tracking/describe-mtqp-reply';
import { printable } from './terminal.ts';

/** Writes the way of a message as a tree: hosts, and below each the recipients and the hosts behind it. */
export function formatTrack(hop: TrackedHop): string {
  return `${linesOf(hop).join('\n')}\n`;
}

/** The same for programs: instants as ISO dates, failures as what they say. */
export function jsonTrack({ host, reports, reply, failure, next }: TrackedHop): object {
  return {
    host,
    ...(reply === undefined ? {} : { reply }),
    ...(failure === undefined ? {} : { failure: { kind: failure.kind, message: failure.message } }),
    reports: reports.map(({ arrivalDate, recipients, ...report }) => ({
      ...report,
      arrivalDate: isoDate(arrivalDate),
      recipients: recipients.map(jsonRecipient),
    })),
    next: next.map(jsonTrack),
  };
}

function jsonRecipient({ lastAttempt, willRetryUntil, ...recipient }: TrackedRecipient): object {
  return {
    ...recipient,
    ...(lastAttempt === undefined ? {} : { lastAttempt: isoDate(lastAttempt) }),
    ...(willRetryUntil === undefined ? {} : { willRetryUntil: isoDate(willRetryUntil) }),
  };
}

function isoDate(instant: number): string {
  return new Date(instant).toISOString();
}

function linesOf({ host, reports, reply, failure, next }: TrackedHop): string[] {
  if (failure !== undefined) return [printable(`${host}: ${failure.message}`)];
  if (reply !== undefined) return [printable(`${host}: ${describeMtqpReply(reply)}`)];
  const left = new Set(next);
  const lines = reports.flatMap((report) => reportLines(report, left, next));
  // Whatever no recipient above led to is shown all the same.
  return [...lines, ...branches([...left].map(linesOf))];
}

function reportLines(report: TrackingReport, left: Set<TrackedHop>, next: readonly TrackedHop[]): string[] {
  const head = printable(`${report.reportingMta}, since ${formatDate(report.arrivalDate)}`);
  const recipients = report.recipients.map((recipient) => {
    const behind = next.find((hop) => hop.host.toLowerCase() === recipient.remoteMta?.toLowerCase());
    const isShown = behind !== undefined && recipient.action === 'transferred' && left.delete(behind);
    return [describe(recipient), ...(isShown ? branches([linesOf(behind)]) : [])];
  });
  return [head, ...branches(recipients)];
}

function describe(recipient: TrackedRecipient): string {
  const { finalRecipient, action, status, remoteMta, lastAttempt, willRetryUntil } = recipient;
  const to =
    remoteMta === undefined ? '' : ` ${action === 'failed' || action === 'delayed' ? 'by' : 'to'} ${remoteMta}`;
  const when = lastAttempt === undefined ? '' : `, ${formatDate(lastAttempt)}`;
  const until = willRetryUntil === undefined ? '' : `, tried until ${formatDate(willRetryUntil)}`;
  return printable(`${finalRecipient}: ${action}${to} (${status})${when}${until}`);
}

/** Puts each group of lines on a branch of its own. */
function branches(groups: readonly (readonly string[])[]): string[] {
  return groups.flatMap((lines, index) => {
    const isLast = index === groups.length - 1;
    return lines.map((line, at) => `${at === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '}${line}`);
  });
}
