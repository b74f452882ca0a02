import type { Action, ReportedRecipient } from './delivery-report.ts';

/**
 * What a host did with a message for one recipient. `transferred`: the next host tracks it; `opaque`: it may never have
 * been here (RFC 3886 §3.3.3).
 */
export type TrackedAction = Action | 'transferred' | 'opaque';

/** One recipient of a tracked message (RFC 3886 §3.3). */
export type TrackedRecipient = ReportedRecipient<TrackedAction>;

/** What one host knows of a message: the message/tracking-status part (RFC 3886 §3). */
export interface TrackingReport {
  /** The name of the host that reports. */
  readonly reportingMta: string;
  /** ENVID, decoded. */
  readonly envelopeId: string;
  /** Milliseconds since the epoch; a report keeps seconds. */
  readonly arrivalDate: number;
  /** At least one. */
  readonly recipients: readonly TrackedRecipient[];
}
