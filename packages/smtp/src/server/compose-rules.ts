import { isSubmission, type Role, type ServerRules } from '../protocol/server-rules.ts';
import { type MechanismName, mechanismsOf } from './mechanisms.ts';
import type { ServerLimits, ServerOptions } from './options.ts';

/** What a listener wants of its sessions. */
export interface ServicePlan {
  readonly role: Role;
  readonly requireTls: boolean;
  readonly mechanisms: readonly MechanismName[] | undefined;
  readonly trusted: boolean;
  readonly earlyTalk?: ServerRules['earlyTalk'] | undefined;
  readonly askForCertificate: boolean;
  /** 32 octets that only the server knows. */
  readonly secret: Buffer;
}

/** The rules for the sessions of one role: what it requires decides the role, what it offers the options (RFC 6409 §3). */
export function composeRules<State>(
  options: ServerOptions<State>,
  { role, requireTls, mechanisms, trusted, earlyTalk, askForCertificate, secret }: ServicePlan,
  limits: ServerLimits,
): ServerRules {
  const { hostname, handlers, now = Date.now } = options;
  const cleartextAuth = options.allowCleartextAuth ?? false;
  return {
    role,
    hostname,
    mechanisms:
      handlers.authenticate === undefined
        ? []
        : mechanismsOf(mechanisms, {
            role,
            hostname,
            now,
            secret,
            hasKeys: handlers.scramKeys !== undefined,
            asksForCertificate: askForCertificate,
            tokens: options.tokens ?? {},
          }),
    cleartextAuth,
    startTls: options.tls !== undefined && role !== 'submissions',
    requireTls: requireTls || (role === 'submission' && !cleartextAuth && !trusted),
    requireAuth: !trusted && (isSubmission(role) || role === 'odmr'),
    expand: handlers.expand !== undefined,
    etrn: role === 'mx' && handlers.etrn !== undefined,
    atrn: (role === 'mx' || role === 'odmr') && handlers.atrn !== undefined,
    turn: role === 'mx' && handlers.turn !== undefined,
    bareLineEnds: options.bareLineEnds ?? 'reject',
    earlyTalk: earlyTalk ?? options.earlyTalk ?? 'allow',
    extensions: options.extensions ?? {},
    limits,
    now,
  };
}
