import type { MtqpVerb } from './mtqp-command.ts';
import { type MtqpReply, mtqpReply } from './mtqp-reply.ts';

/**
 * Where a session is. `locked`: queries wait for TLS; `insecure`: the TLS that came about is too weak, so that nothing is
 * served; `handshake`: nothing is read but TLS (RFC 3887 §6).
 */
export type MtqpState = 'greeting' | 'clear' | 'locked' | 'handshake' | 'secure' | 'insecure' | 'over';

/** Where each command leads that succeeds; what is not listed is refused and changes nothing (RFC 3887 §3, RFC 3887 §6). */
export const mtqpTable: Readonly<Record<MtqpState, Partial<Readonly<Record<MtqpVerb, MtqpState>>>>> = {
  greeting: {},
  clear: { TRACK: 'clear', COMMENT: 'clear', STARTTLS: 'handshake', QUIT: 'over' },
  locked: { COMMENT: 'locked', STARTTLS: 'handshake', QUIT: 'over' },
  handshake: {},
  secure: { TRACK: 'secure', COMMENT: 'secure', QUIT: 'over' },
  insecure: { QUIT: 'over' },
  over: {},
};

const tlsRequired = mtqpReply('ERR', 'tls-required', 'Use STARTTLS first');
const tlsInProgress = mtqpReply('BAD', 'tls-in-progress', 'TLS is already active');
const insecure = mtqpReply('ERR', 'insecure', 'This TLS is too weak');

/** The reply to a command that the table does not have (RFC 3887 §2.3, RFC 3887 §4, RFC 3887 §6). */
export function refusalIn(state: MtqpState): MtqpReply {
  if (state === 'insecure') return insecure;
  return state === 'secure' ? tlsInProgress : tlsRequired;
}
