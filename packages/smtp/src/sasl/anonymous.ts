import { parseUtf8 } from '../bytes/utf8.ts';
import type { Mechanism, ServerStep } from './mechanism.ts';
import { sayOnce } from './say-once.ts';

/** Characters of what a client leaves behind (RFC 4505 §2). */
const longest = 255;

function readTrace(message: Buffer): ServerStep {
  const trace = parseUtf8(message);
  const isGood = trace !== undefined && [...trace].length <= longest && !/\p{Cc}/u.test(trace);
  if (!isGood) return { kind: 'malformed' };
  return { kind: 'verify', credentials: { mechanism: 'ANONYMOUS', user: '', authorizeAs: '', trace } };
}

/**
 * ANONYMOUS: the client says that it is nobody, and leaves a mail address or a word behind, or nothing. Whoever lets it in
 * must not let it send to others (RFC 4505 §2, RFC 4505 §5).
 */
export const anonymous: Mechanism = {
  name: 'ANONYMOUS',
  revealsPassword: false,
  server: () => ({
    begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: Buffer.alloc(0) } : readTrace(initial)),
    next: readTrace,
  }),
  client({ user }) {
    const initial = [...user].length <= longest && !/\p{Cc}/u.test(user) ? Buffer.from(user, 'utf8') : undefined;
    return sayOnce(initial);
  },
};
