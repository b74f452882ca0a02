import type { Answer } from '../protocol/server-answers.ts';
import type { ServerEvent } from '../protocol/server-event.ts';
import { farewell } from '../protocol/server-reply.ts';
import type { ServerRules } from '../protocol/server-rules.ts';
import { ServerSession } from '../protocol/server-session.ts';
import type { Service } from './server-host.ts';

/** What becomes of a connection of a listener for SMTP or LMTP. */
export interface SmtpService extends Service<ServerEvent, Answer, ServerSession> {
  readonly rules: ServerRules;
}

/** Makes sessions of SMTP or LMTP under rules (RFC 5321 §3.1, RFC 2033 §4). */
export function smtpService({
  rules,
  ...rest
}: Pick<SmtpService, 'rules' | 'implicitTls' | 'asksForCertificate' | 'application'>): SmtpService {
  return {
    rules,
    limits: rules.limits,
    session: (now) => new ServerSession(rules, now),
    turnAway(why) {
      const reply = farewell(rules.hostname, why);
      return { handle: (event) => (event.kind === 'connect' ? reply : undefined), giveUp() {}, close() {} };
    },
    ...rest,
  };
}
