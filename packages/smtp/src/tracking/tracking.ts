/** The way to tracking queries, for both sides: what `@posthorn/smtp/tracking` offers (RFC 3887). */
export type { TrackingQuery } from '../mtqp/mtqp-command.ts';
export {
  certifierOf,
  composeTrackingSecret,
  formatTrackingSecret,
  isCertifierOf,
  parseTrackingSecret,
} from '../mtqp/tracking-secret.ts';
export { formatTrackingUri, parseTrackingUri, type TrackingUri } from '../mtqp/tracking-uri.ts';
export type { TrackedAction, TrackedRecipient, TrackingReport } from '../report/tracking-report.ts';
export { openTracker, type TrackerOptions } from './open-tracker.ts';
export { type TrackedHop, type TrackMessageOptions, trackMessage } from './track-message.ts';
export type { TrackAnswer, Tracker } from './tracker.ts';
export {
  createTrackingServer,
  type TrackingListener,
  type TrackingServer,
  type TrackingServerOptions,
} from './tracking-server.ts';
