import { decoded, leavesWithin } from './leaves.ts';
import {
  date,
  type Fields,
  isRecipientGroup,
  mtaName,
  readGroups,
  readRecipientFields,
  text,
} from './read-recipient-fields.ts';
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
  const groups = [...readGroups(part)];
  const recipients = groups.filter(isRecipientGroup).map((group) => readRecipientFields(group, actions));
  if (recipients.length === 0) return undefined;
  const message: Fields = groups.find((group) => !isRecipientGroup(group)) ?? new Map();
  return {
    reportingMta: mtaName(text(message, 'reporting-mta') ?? ''),
    envelopeId: text(message, 'original-envelope-id') ?? '',
    arrivalDate: date(message, 'arrival-date') ?? 0,
    recipients,
  };
}
