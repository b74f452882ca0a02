import type { MailParameters } from '@posthorn/smtp/command/parameters';
import type { DeliveryJob } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { secondsLeft } from './trace-of.ts';

type Parameters = { -readonly [Key in keyof MailParameters]: MailParameters[Key] };

/**
 * What MAIL passes on of what a sender asked for, beside what the text needs; the client leaves out what the host does not
 * offer, and refuses what must not be left out (RFC 5321 §4.1.1.11).
 */
export function passedOn({ envelope, nextHop }: DeliveryJob, now: number): MailParameters {
  const { ret, envelopeId, deliverBy, priority, solicit, tracking } = envelope;
  const mail: Parameters = {};
  if (ret !== undefined) mail.ret = ret;
  if (envelopeId !== undefined) mail.envelopeId = envelopeId;
  if (deliverBy !== undefined) {
    const { until, mode, trace } = deliverBy;
    mail.deliverBy = { seconds: secondsLeft(until, now), mode, ...(trace === undefined ? {} : { trace }) };
  }
  if (tracking !== undefined) {
    const timeout = secondsLeft(tracking.until, now);
    // Behind its time the way of the message is not known any more (RFC 3885 §3.1).
    if (timeout > 0) mail.tracking = { certifier: tracking.certifier, timeout };
  }
  if (priority !== undefined) mail.priority = priority;
  if (solicit !== undefined) mail.solicit = solicit;
  // A socket of this machine has no wire that anybody could listen to.
  if (envelope.requireTls && !isSocket(nextHop)) mail.requireTls = true;
  // Who is not known to have submitted it must not be taken for the one who logs in here (RFC 4954 §5).
  if ('login' in nextHop && nextHop.login !== undefined) mail.auth = envelope.submitter ?? null;
  return mail;
}

function isSocket(nextHop: NextHop): boolean {
  return (nextHop.kind === 'smtp' || nextHop.kind === 'lmtp') && nextHop.path !== undefined;
}
