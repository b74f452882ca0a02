import { parseUtf8 } from '../bytes/utf8.ts';
import type { Mechanism, ServerStep } from './mechanism.ts';
import { sayOnce } from './say-once.ts';

const nothing = Buffer.alloc(0);

function readMessage(message: Buffer): ServerStep {
  const parts = parseUtf8(message)?.split('\0') ?? [];
  const [authorizeAs, user, password] = parts;
  if (parts.length !== 3 || authorizeAs === undefined || !user || !password) return { kind: 'malformed' };
  return { kind: 'verify', credentials: { mechanism: 'PLAIN', user, password, authorizeAs } };
}

/** PLAIN: identities and password in one message, `authorizeAs NUL user NUL password` (RFC 4616 §2). */
export const plain: Mechanism = {
  name: 'PLAIN',
  revealsPassword: true,
  server: () => ({
    begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: nothing } : readMessage(initial)),
    next: readMessage,
  }),
  client({ authorizeAs, user, password }) {
    // A NUL inside would move the borders between the three: such credentials are not sent.
    const isWritable =
      user !== '' && password !== '' && ![authorizeAs, user, password].some((text) => text.includes('\0'));
    const initial = isWritable ? Buffer.from(`${authorizeAs}\0${user}\0${password}`, 'utf8') : undefined;
    return sayOnce(initial);
  },
};
