import { randomInt } from 'node:crypto';
import type { Role } from '../protocol/server-rules.ts';
import { cramMd5Server } from '../sasl/cram-md5.ts';
import { externalServer } from '../sasl/external.ts';
import { login } from '../sasl/login.ts';
import type { ServerMechanism } from '../sasl/mechanism.ts';
import { plain } from '../sasl/plain.ts';

/** Ways to log in that a server knows (RFC 4616 §2, RFC 2195 §2, RFC 4422 §A). */
export type MechanismName = 'PLAIN' | 'LOGIN' | 'CRAM-MD5' | 'EXTERNAL';

const byDefault: readonly MechanismName[] = ['PLAIN', 'LOGIN'];
/** On-demand relay has to know it (RFC 2645 §5.1.2). */
const byDefaultOnDemand: readonly MechanismName[] = ['CRAM-MD5', ...byDefault];

/** The mechanisms of a listener, in the order in which they are offered; `names` instead of the usual ones. */
export function mechanismsOf(
  role: Role,
  names: readonly MechanismName[] = role === 'odmr' ? byDefaultOnDemand : byDefault,
  { hostname, now }: { readonly hostname: string; readonly now: () => number },
): ServerMechanism[] {
  const nextChallenge = () => `<${randomInt(2 ** 47)}.${Math.floor(now() / 1000)}@${hostname}>`;
  const all = { PLAIN: plain, LOGIN: login, 'CRAM-MD5': cramMd5Server(nextChallenge), EXTERNAL: externalServer };
  return names.map((name) => all[name]);
}
