import { z } from 'zod';
import { filePath, size } from './fields.ts';

/** Mail that is shown on terminals; without it SEND, SOML and SAML are not offered (RFC 821 §3.4). */
export const terminalFields = z.strictObject({
  /** Where this host notes who is logged in: the mailboxes of the home domain are theirs. */
  utmp: filePath('/run/utmp').prefault('/run/utmp'),
  /** Octets of a message that are shown; SEND takes no longer ones. */
  messageSize: size(256, '16KB').prefault('16KB'),
});
