import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { z } from 'zod';
import { textField } from './fields.ts';
import * as mail from './mail-fields.ts';
import { named } from './named.ts';

const generator = () =>
  textField(
    (text) => parseMailbox(text, { utf8: true }) !== undefined || normalizeDomain(text) !== undefined,
    'a mail address or a domain',
    'Write the sender of the batches, such as "batch@bridge.example.org", or its domain.',
  );

const gateway = z.strictObject({
  /** Whose batches are taken, by their envelope sender: addresses and domains. */
  from: z.array(generator()).min(1),
  /** Networks that they come from; without one they are taken from logins alone, as anybody can write any sender. */
  networks: z.array(mail.network()).prefault([]),
});

/** The configuration of a host that passes on what others have frozen (RFC 2442). */
export type GatewayConfig = z.output<typeof gateway>;

/** What a domain has for batches of mail. */
export const batchFields = {
  /** Addresses that take batches, by their local-parts: each enclosed message is sent on as if it had come by itself (RFC 2442). */
  batches: named(mail.localPart(), gateway).prefault({}),
};
