import { z } from 'zod';
import { duration } from './fields.ts';
import * as mail from './mail-fields.ts';
import { formatPath, type Mistake } from './mistake.ts';
import { isRecord, type Plain } from './plain.ts';

/** Senders of mail that aliases and forwards lead elsewhere: rewritten, so that the next host finds it sent by this one. */
export const srsFields = z.strictObject({
  /** A domain of this host: reports about such mail come to it, and go on to who sent the mail. */
  domain: mail.domain(),
  /** How long reports are taken back; whole days. */
  keep: duration('1d', '21d').prefault('21d'),
});

/** Reports come back to a domain that mail is taken for, or not at all. */
export function srsMistakes({ srs, domains }: { readonly [key: string]: Plain }): Mistake[] {
  const domain = isRecord(srs) ? srs.domain : undefined;
  if (typeof domain !== 'string' || (isRecord(domains) && domain.toLowerCase() in domains)) return [];
  const message = 'is no domain of this host, so that no report would come back';
  return [{ path: formatPath(['srs', 'domain']), message, remedy: 'Name one of the domains.' }];
}
