import type { MailParameters } from '../command/parameters.ts';
import { commonClasses, refuseSolicitation } from '../command/solicitation.ts';
import type { Reply } from '../reply/reply.ts';
import type { Dialogue } from './dialogue.ts';
import { serverReply } from './server-reply.ts';

/** The reply that BY earns when it leaves less time than was said to be needed; undefined when it is enough (RFC 2852 §4). */
export function whyNotBy({ rules }: Dialogue, { deliverBy }: MailParameters): Reply | undefined {
  const minimum = rules.extensions.deliverBy?.minimum ?? 0;
  return deliverBy?.mode === 'R' && deliverBy.seconds < minimum ? serverReply.belowMinimum : undefined;
}

/** The reply that a message earns of a class that EHLO said is refused; undefined for all others (RFC 3865 §2.4). */
export function whyNotSolicited({ rules }: Dialogue, { solicit }: MailParameters): Reply | undefined {
  const refused = rules.extensions.noSoliciting?.refused;
  if (refused === undefined || solicit === undefined) return undefined;
  const matching = commonClasses(solicit, refused);
  return matching.length === 0 ? undefined : refuseSolicitation(matching);
}
