import type { MailParameters, RcptParameters } from '../command/parameters.ts';
import type { Host } from './client-lack.ts';

/** What remains of times that are counted from MAIL when that is sent so many seconds later (RFC 2852 §4.1.4, RFC 3885 §3.1). */
export function afterWait(mail: MailParameters, seconds: number): MailParameters {
  const { deliverBy, tracking, ...others } = mail;
  if (deliverBy === undefined && tracking?.timeout === undefined) return mail;
  const left = deliverBy && { ...deliverBy, seconds: Math.max(deliverBy.seconds - seconds, -999_999_999) };
  const timeout = tracking?.timeout === undefined ? undefined : tracking.timeout - seconds;
  // A trace that ends here is none for the next host.
  const tracked = timeout !== undefined && timeout <= 0 ? undefined : tracking;
  return {
    ...others,
    ...(left === undefined ? {} : { deliverBy: left }),
    ...(tracked === undefined ? {} : { tracking: timeout === undefined ? tracked : { ...tracked, timeout } }),
  };
}

/**
 * Whether a host is asked to tell of a delay because it knows no BY of mode N, as long as that can still come in time: the
 * one case in which others than the sender choose the reports (RFC 2852 §4.1.4.2).
 */
export function needsDelayNotice({ deliverBy }: MailParameters, { capabilities, isLast }: Host): boolean {
  return deliverBy?.mode === 'N' && deliverBy.seconds > 0 && !isLast && !capabilities.offered.has('DELIVERBY');
}

/** Asks for a report of a delay, unless none are wanted at all (RFC 2852 §4.1.4.2). */
export function withDelayNotice(recipient: RcptParameters): RcptParameters {
  const { notify } = recipient;
  if (notify === undefined) return { ...recipient, notify: ['FAILURE', 'DELAY'] };
  if (notify.length === 0 || notify.includes('DELAY')) return recipient;
  return { ...recipient, notify: [...notify, 'DELAY'] };
}
