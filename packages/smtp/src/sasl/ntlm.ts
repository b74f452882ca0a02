import { createHmac, timingSafeEqual } from 'node:crypto';
import { md4 } from './md4.ts';
import type { ClientMechanism, ServerMechanism, ServerStep } from './mechanism.ts';
import {
  composeAuthenticate,
  composeChallenge,
  composeNegotiate,
  isNegotiate,
  parseAuthenticate,
  parseChallenge,
} from './ntlm-message.ts';

/*
 * NTLM over SMTP, in its second version. It has neither a security layer nor the check of the whole exchange (MIC) here, and
 * who learns the hash of a password can log in with it: it is for old programs, within TLS, and off by default.
 */

const about = { name: 'NTLM', revealsPassword: false } as const;
const malformed: ServerStep = { kind: 'malformed' };
/** 100 ns from 1601 to 1970. */
const epoch = 116_444_736_000_000_000n;

/** What is kept of a password for NTLM, 16 octets; as good as the password itself ([MS-NLMP] §3.3.1). */
export function ntHash(password: string): Buffer {
  return md4(Buffer.from(password, 'utf16le'));
}

const hmacMd5 = (key: Buffer, ...parts: Buffer[]) => createHmac('md5', key).update(Buffer.concat(parts)).digest();

/** The proof of version 2 over a challenge and what the client adds ([MS-NLMP] §3.3.2). */
export function ntlmProof(
  hash: Buffer,
  {
    user,
    domain,
    nonce,
    blob,
  }: { readonly user: string; readonly domain: string; readonly nonce: Buffer; readonly blob: Buffer },
): Buffer {
  const key = hmacMd5(hash, Buffer.from(user.toUpperCase() + domain, 'utf16le'));
  return hmacMd5(key, nonce, blob);
}

function readAnswer(message: Buffer, nonce: Buffer): ServerStep {
  const answer = parseAuthenticate(message);
  if (answer === undefined) return malformed;
  // Its key is found in days, whatever the password is.
  if (answer === 'old') return { kind: 'refused' };
  const { user, domain } = answer;
  const provesHash = (hash: Buffer) => timingSafeEqual(ntlmProof(hash, { ...answer, nonce }), answer.proof);
  return { kind: 'verify', credentials: { mechanism: 'NTLM', user, domain, authorizeAs: '', provesHash } };
}

/** NTLM on the server; `nextNonce` gives 8 octets that nobody can foresee ([MS-SMTPNTLM] §2.2.1). */
export function ntlmServer({
  hostname,
  nextNonce,
}: {
  readonly hostname: string;
  readonly nextNonce: () => Buffer;
}): ServerMechanism {
  return {
    ...about,
    needsTls: true,
    server() {
      let nonce: Buffer | undefined;
      function next(message: Buffer): ServerStep {
        if (nonce !== undefined) return readAnswer(message, nonce);
        if (!isNegotiate(message)) return malformed;
        nonce = nextNonce();
        return { kind: 'challenge', bytes: composeChallenge(nonce, hostname) };
      }
      return {
        begin: (initial) => (initial === undefined ? { kind: 'prompt', text: 'NTLM supported' } : next(initial)),
        next,
      };
    },
  };
}

/** NTLM on the client; a user may be written `DOMAIN\user`. `now` is in milliseconds since the epoch ([MS-NLMP] §3.1.5). */
export function ntlmClient({
  nextNonce,
  now,
}: {
  readonly nextNonce: () => Buffer;
  readonly now: () => number;
}): ClientMechanism {
  return {
    ...about,
    client({ user: given, password, authorizeAs }) {
      const [, domain = '', user = ''] = /^(?:([^\\]*)\\)?(.+)$/s.exec(given) ?? [];
      let isOpen = user !== '' && !given.includes('\0') && (authorizeAs === '' || authorizeAs === given);
      return {
        initial: isOpen ? composeNegotiate() : undefined,
        next(message) {
          const challenge = isOpen ? parseChallenge(message) : undefined;
          isOpen = false;
          if (challenge === undefined) return undefined;
          const blob = composeBlob(challenge.info, nextNonce(), now());
          const proof = ntlmProof(ntHash(password), { user, domain, nonce: challenge.nonce, blob });
          return composeAuthenticate({ user, domain, proof, blob });
        },
      };
    },
  };
}

/** What a client adds to the challenge: the time, and chance of its own ([MS-NLMP] §2.2.2.7). */
export function composeBlob(info: Buffer, nonce: Buffer, now: number): Buffer {
  const head = Buffer.alloc(28);
  head.writeUInt16LE(0x0101, 0);
  head.writeBigUInt64LE(epoch + BigInt(Math.trunc(now)) * 10_000n, 8);
  nonce.copy(head, 16);
  return Buffer.concat([head, info, Buffer.alloc(4)]);
}
