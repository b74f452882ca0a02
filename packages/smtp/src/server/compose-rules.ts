import { isSubmission, type Role, type ServerRules } from '../protocol/server-rules.ts';
import { login } from '../sasl/login.ts';
import { plain } from '../sasl/plain.ts';
import type { ServerLimits, ServerOptions } from './options.ts';

/** The rules for the sessions of one role: what it requires decides the role, what it offers the options (RFC 6409 §3). */
export function composeRules<State>(
  options: ServerOptions<State>,
  { role, requireTls }: { readonly role: Role; readonly requireTls: boolean },
  limits: ServerLimits,
): ServerRules {
  const cleartextAuth = options.allowCleartextAuth ?? false;
  return {
    role,
    hostname: options.hostname,
    mechanisms: options.handlers.authenticate === undefined ? [] : [plain, login],
    cleartextAuth,
    startTls: options.tls !== undefined && role !== 'submissions',
    requireTls: requireTls || (role === 'submission' && !cleartextAuth),
    requireAuth: isSubmission(role),
    expand: options.handlers.expand !== undefined,
    bareLineEnds: options.bareLineEnds ?? 'reject',
    earlyTalk: options.earlyTalk ?? 'allow',
    extensions: options.extensions ?? {},
    limits,
    now: options.now ?? Date.now,
  };
}
