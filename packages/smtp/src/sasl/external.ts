import { parseUtf8 } from '../bytes/utf8.ts';
import type { ClientCertificate } from './channel.ts';
import type { Mechanism, ServerStep } from './mechanism.ts';
import { sayOnce } from './say-once.ts';

function readMessage(message: Buffer, certificate: ClientCertificate | undefined): ServerStep {
  const authorizeAs = parseUtf8(message);
  if (authorizeAs === undefined || authorizeAs.includes('\0')) return { kind: 'malformed' };
  const shown = certificate === undefined ? {} : { certificate };
  return { kind: 'verify', credentials: { mechanism: 'EXTERNAL', user: '', authorizeAs, ...shown } };
}

/** EXTERNAL: something else, such as a certificate or the network, says who the client is (RFC 4422 §A). */
export const external: Mechanism = {
  name: 'EXTERNAL',
  revealsPassword: false,
  server: (channel) => ({
    begin: (initial) =>
      initial === undefined
        ? { kind: 'challenge', bytes: Buffer.alloc(0) }
        : readMessage(initial, channel?.certificate),
    next: (message) => readMessage(message, channel?.certificate),
  }),
  client({ authorizeAs }) {
    const initial = authorizeAs.includes('\0') ? undefined : Buffer.from(authorizeAs, 'utf8');
    return sayOnce(initial);
  },
};
