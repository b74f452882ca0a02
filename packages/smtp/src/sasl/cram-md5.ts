import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseUtf8 } from '../bytes/utf8.ts';
import type { ClientMechanism, ServerMechanism, ServerStep } from './mechanism.ts';

const about = { name: 'CRAM-MD5', revealsPassword: false } as const;

/** 32 lower-case hexadecimal digits (RFC 2195 §2). */
function digestOf(challenge: Buffer | string, secret: string): string {
  return createHmac('md5', Buffer.from(secret, 'utf8')).update(challenge).digest('hex');
}

function readAnswer(message: Buffer, challenge: string): ServerStep {
  const text = parseUtf8(message) ?? '';
  // The digest has no blank in it, a user name may.
  const space = text.lastIndexOf(' ');
  if (space < 1 || text.includes('\0')) return { kind: 'malformed' };
  const digest = Buffer.from(text.slice(space + 1));
  const proves = (secret: string) => {
    const expected = Buffer.from(digestOf(challenge, secret));
    return digest.length === expected.length && timingSafeEqual(digest, expected);
  };
  const credentials = { mechanism: 'CRAM-MD5', user: text.slice(0, space), authorizeAs: '', proves } as const;
  return { kind: 'verify', credentials };
}

/**
 * CRAM-MD5 on the server. `nextChallenge` gives a fresh `<random.time@host>` each time: one that comes twice lets an answer
 * that was overheard in again (RFC 2195 §2).
 */
export function cramMd5Server(nextChallenge: () => string): ServerMechanism {
  return {
    ...about,
    server() {
      const challenge = nextChallenge();
      return {
        begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: Buffer.from(challenge) } : early),
        next: (message) => readAnswer(message, challenge),
      };
    },
  };
}

const early: ServerStep = { kind: 'early' };

/** CRAM-MD5 on the client: proves that it knows the secret without sending it (RFC 2195 §2). */
export const cramMd5Client: ClientMechanism = {
  ...about,
  client({ user, password, authorizeAs }) {
    // It has no place for another identity to act as, and a control character could end the line.
    let isOpen = user !== '' && !user.includes('\0') && (authorizeAs === '' || authorizeAs === user);
    return {
      initial: undefined,
      next(challenge) {
        if (!isOpen) return undefined;
        isOpen = false;
        return Buffer.from(`${user} ${digestOf(challenge, password)}`, 'utf8');
      },
    };
  },
};
