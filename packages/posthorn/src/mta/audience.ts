import { networkMatcher } from '@posthorn/smtp/address/network';
import type { Session } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

/** Whether a client belongs to those who are told something. */
export type Audience = (session: Pick<Session, 'login' | 'clientAddress'>) => boolean;

/** Reads who is told something; nobody where nothing is configured (RFC 5321 §7.3). */
export function createAudience(rules: Config['disclosure']['verify'] | undefined): Audience {
  if (rules === undefined) return () => false;
  const isInNetwork = networkMatcher(rules.networks);
  return ({ login, clientAddress }) => (rules.logins && login !== undefined) || isInNetwork(clientAddress);
}
