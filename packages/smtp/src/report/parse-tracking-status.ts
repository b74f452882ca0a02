import { decoded, leavesWithin } from './leaves.ts';
import { date, mtaName, readStatusGroups, text } from './read-recipient-fields.ts';
import type { TrackedAction, TrackingReport } from './tracking-report.ts';

const actions: Readonly<Record<string, TrackedAction>> = {
  failed: 'failed',
  delayed: 'delayed',
  delivered: 'delivered',
  relayed: 'relayed',
  expanded: 'expanded',
  transferred: 'transferred',
  opaque: 'opaque',
};

/**
 * Reads the answer to a tracking request, a MIME entity, tolerant of faults: what each host on the way said, in order;
 * empty when no part tells of a recipient (RFC 3886 §3).
 */
export function parseTrackingStatus(entity: Buffer): TrackingReport[] {
  return leavesWithin(entity, 'multipart/related')
    .filter(({ mediaType }) => mediaType === 'message/tracking-status')
    .flatMap((leaf) => readReport(decoded(leaf)) ?? []);
}

function readReport(part: Buffer): TrackingReport | undefined {
  const groups = readStatusGroups(part, actions);
  if (groups === undefined) return undefined;
  const { message, recipients } = groups;
  return {
    reportingMta: mtaName(text(message, 'reporting-mta') ?? ''),
    envelopeId: text(message, 'original-envelope-id') ?? '',
    arrivalDate: date(message, 'arrival-date') ?? 0,
    recipients,
  };
}
