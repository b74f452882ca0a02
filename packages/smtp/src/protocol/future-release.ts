import { formatTimestamp } from '../bytes/timestamp.ts';
import type { MailParameters } from '../command/parameters.ts';
import type { Reply } from '../reply/reply.ts';
import type { Dialogue } from './dialogue.ts';
import { serverReply } from './server-reply.ts';

/*
 * FUTURERELEASE announces, beside the longest time that a message may be held, the date that this comes to. So its line of
 * the EHLO reply is made anew each time, and the date that was told is kept: it is what MAIL is measured against, not one
 * that has moved on since (RFC 4865 §4.2).
 */

/** The EHLO reply of the offer, with the line for FUTURERELEASE if that is on offer (RFC 4865 §3). */
export function announceHold(dialogue: Dialogue): Reply {
  const { offer, rules } = dialogue;
  const longest = longestHold(dialogue);
  if (longest === undefined) return offer.reply;
  dialogue.latestRelease = Math.floor(rules.now() / 1000 + longest) * 1000;
  const line = `FUTURERELEASE ${longest} ${formatTimestamp(dialogue.latestRelease)}`;
  return { ...offer.reply, lines: [...offer.reply.lines, line] };
}

/** The reply that a hold earns that cannot be; undefined when it can (RFC 4865 §4.2, RFC 4865 §5.2). */
export function whyNotHold(dialogue: Dialogue, { hold, deliverBy }: MailParameters): Reply | undefined {
  if (hold === undefined) return undefined;
  const now = dialogue.rules.now();
  const release = 'for' in hold ? now + hold.for * 1000 : hold.until;
  if (release <= now) return serverReply.holdIsOver;
  const isTooLong = 'for' in hold ? hold.for > (longestHold(dialogue) ?? 0) : release > dialogue.latestRelease;
  if (isTooLong) return serverReply.holdTooLong;
  // The time to deliver in is counted from now as well, not from the release.
  const isTooLate = deliverBy !== undefined && release > now + deliverBy.seconds * 1000;
  return isTooLate ? serverReply.holdBeyondDelivery : undefined;
}

function longestHold({ offer, rules }: Dialogue): number | undefined {
  return offer.keywords.has('FUTURERELEASE') ? rules.extensions.futureRelease?.longest : undefined;
}
