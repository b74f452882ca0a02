import { randomBytes, randomInt } from 'node:crypto';
import type { Role } from '../protocol/server-rules.ts';
import { anonymous } from '../sasl/anonymous.ts';
import { cramMd5Server } from '../sasl/cram-md5.ts';
import { external } from '../sasl/external.ts';
import { login } from '../sasl/login.ts';
import type { ServerMechanism } from '../sasl/mechanism.ts';
import { ntlmServer } from '../sasl/ntlm.ts';
import { oauthBearer, type TokenRefusal, xoauth2 } from '../sasl/oauth.ts';
import { plain } from '../sasl/plain.ts';
import { scramServer } from '../sasl/scram-server.ts';

/** Ways to log in that a server knows, the strongest first ([MS-SMTPNTLM] §2.2.1) (RFC 5802 §4, RFC 7628 §3, RFC 4616 §2, RFC 2195 §2, RFC 4422 §A). */
export type MechanismName =
  | 'SCRAM-SHA-256-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-1'
  | 'EXTERNAL'
  | 'OAUTHBEARER'
  | 'XOAUTH2'
  | 'CRAM-MD5'
  | 'NTLM'
  | 'PLAIN'
  | 'LOGIN'
  | 'ANONYMOUS';

/** What decides which mechanisms there are, and what they are made of. */
export interface MechanismParts {
  readonly role: Role;
  readonly hostname: string;
  readonly now: () => number;
  /** Whether the application knows keys of users. */
  readonly hasKeys: boolean;
  /** Whether clients are asked for a certificate. */
  readonly asksForCertificate: boolean;
  readonly tokens: TokenRefusal;
  /** 32 octets that only the server knows; the same for all listeners, so that what is invented is the same. */
  readonly secret: Buffer;
}

const nextNonce = () => randomBytes(18).toString('base64');

/** The mechanisms of a listener, in the order in which they are offered; `names` instead of the usual ones. */
export function mechanismsOf(names: readonly MechanismName[] | undefined, parts: MechanismParts): ServerMechanism[] {
  const { hostname, now, tokens, secret } = parts;
  const nextChallenge = () => `<${randomInt(2 ** 47)}.${Math.floor(now() / 1000)}@${hostname}>`;
  const all: Readonly<Record<MechanismName, () => ServerMechanism>> = {
    PLAIN: () => plain,
    LOGIN: () => login,
    'CRAM-MD5': () => cramMd5Server(nextChallenge),
    NTLM: () => ntlmServer({ hostname, nextNonce: () => randomBytes(8) }),
    EXTERNAL: () => external,
    ANONYMOUS: () => anonymous,
    OAUTHBEARER: () => oauthBearer(tokens),
    XOAUTH2: () => xoauth2(tokens),
    'SCRAM-SHA-1': () => scramServer({ hash: 'SHA-1', plus: false, nextNonce, secret }),
    'SCRAM-SHA-1-PLUS': () => scramServer({ hash: 'SHA-1', plus: true, nextNonce, secret }),
    'SCRAM-SHA-256': () => scramServer({ hash: 'SHA-256', plus: false, nextNonce, secret }),
    'SCRAM-SHA-256-PLUS': () => scramServer({ hash: 'SHA-256', plus: true, nextNonce, secret }),
  };
  return (names ?? usualNames(parts)).map((name) => all[name]());
}

/** On-demand relay has to know CRAM-MD5 (RFC 2645 §5.1.2). */
function usualNames({ role, hasKeys, asksForCertificate }: MechanismParts): MechanismName[] {
  return [
    ...(hasKeys ? (['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] as const) : []),
    ...(asksForCertificate ? (['EXTERNAL'] as const) : []),
    ...(role === 'odmr' ? (['CRAM-MD5'] as const) : []),
    'PLAIN',
    'LOGIN',
  ];
}
