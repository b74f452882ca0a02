import { parseUtf8 } from '../bytes/utf8.ts';
import type { ServerMechanism, ServerStep } from './mechanism.ts';

function readMessage(message: Buffer): ServerStep {
  const authorizeAs = parseUtf8(message);
  if (authorizeAs === undefined || authorizeAs.includes('\0')) return { kind: 'malformed' };
  return { kind: 'verify', credentials: { mechanism: 'EXTERNAL', user: '', authorizeAs } };
}

/** EXTERNAL on the server: something else, such as the network, says who the client is (RFC 4422 §A). */
export const externalServer: ServerMechanism = {
  name: 'EXTERNAL',
  revealsPassword: false,
  server: () => ({
    begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: Buffer.alloc(0) } : readMessage(initial)),
    next: readMessage,
  }),
};
