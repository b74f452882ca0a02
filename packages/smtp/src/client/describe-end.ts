import { Failure, type FailureKind } from '../failure/failure.ts';
import type { ClientEvent } from '../protocol/client-session.ts';
import type { Lack } from '../protocol/client-setup.ts';
import { ConnectionFailure } from './send-result.ts';

type Over = Extract<ClientEvent, { kind: 'over' }>;
type Refused = Extract<ClientEvent, { kind: 'refused' }>;

/** What the end of a session means for what was under way. */
export const endKinds: Readonly<Record<Over['why'], FailureKind>> = {
  bye: 'lost',
  lost: 'lost',
  timeout: 'timeout',
  aborted: 'aborted',
  'shut down': 'lost',
  protocol: 'protocol',
  spent: 'limit',
};

const words: Readonly<Record<Over['why'], string>> = {
  bye: 'the session is closed',
  lost: 'the connection is lost',
  timeout: 'no reply in time',
  aborted: 'aborted',
  'shut down': 'the host ended the session',
  protocol: 'the host broke the protocol',
  spent: 'the host takes no more in this session',
};

const lacks: Readonly<Record<Lack, string>> = {
  AUTH: 'the host offers no AUTH mechanism that is known here',
  STARTTLS: 'the host does not offer STARTTLS',
  'proof of the host': 'the host let the user in without proof that it knows the password',
  'a private channel': 'a password goes only through TLS to a host whose certificate fits, and this is neither',
};

/** Why a session is over, as what its callers get; an error that is a Failure has its own words. */
export function describeEnd(target: string, { why, phase, garbage, reply }: Over, error: unknown): ConnectionFailure {
  const about = { phase, ...(reply === undefined ? {} : { reply }), cause: error };
  if (error instanceof Failure) return new ConnectionFailure(error.kind, error.message, about);
  const silent = why === 'timeout' && phase === 'greeting' ? '; a host for implicit TLS waits, too' : '';
  return new ConnectionFailure(endKinds[why], `${target} in step ${phase}: ${garbage ?? words[why]}${silent}`, about);
}

/** Why a session did not come about. */
export function describeRefusal(target: string, { phase, reply, lack }: Refused): ConnectionFailure {
  const kind = phase === 'auth' ? 'authentication' : phase === 'tls' ? 'tls' : 'refused';
  const text = reply === undefined ? lacks[lack ?? 'AUTH'] : [reply.code, reply.status, ...reply.lines].join(' ');
  const about = { phase, ...(reply === undefined ? {} : { reply }) };
  return new ConnectionFailure(kind, `${target} in step ${phase}: ${text}`, about);
}
