import { reply } from '@posthorn/smtp/reply/reply';
import { isNullExchanger } from '../dns/null-exchanger.ts';
import type { Finding } from './finding.ts';
import type { Lookups } from './lookups.ts';
import type { Strictness } from './reverse-name.ts';

const filter = 'sender-domain';
const scores = { nullMx: 5, unknown: 3 } as const;
const takesNone = reply(550, '5.7.27', 'The domain of the sender accepts no mail');
const unknown = reply(550, '5.1.8', 'The domain of the sender does not exist');
const unknowable = reply(450, '4.1.8', 'The domain of the sender cannot be looked up now');

/** What is wrong with the domain of a sender: nobody there could be answered (RFC 7505 §4.2, RFC 2505 §2.9). */
export async function checkSenderDomain(
  lookups: Lookups,
  domain: string,
  strictness: Strictness,
): Promise<Finding | undefined> {
  const found = (score: number, text: string, refusal: typeof unknown): Finding => {
    return { filter, score, text, ...(strictness === 'refuse' ? { reply: refusal } : {}) };
  };
  if (domain.startsWith('[')) return undefined;
  const exchangers = await lookups.mx(domain);
  if (exchangers.kind === 'found') {
    return isNullExchanger(exchangers) ? found(scores.nullMx, 'null MX', takesNone) : undefined;
  }
  if (exchangers.kind === 'failed') return found(0, 'cannot be looked up', unknowable);
  if (exchangers.kind === 'absent') return found(scores.unknown, 'does not exist', unknown);
  const addresses = await Promise.all([lookups.addresses(domain, 4), lookups.addresses(domain, 6)]);
  if (addresses.some(({ kind }) => kind === 'found')) return undefined;
  if (addresses.some(({ kind }) => kind === 'failed')) return found(0, 'cannot be looked up', unknowable);
  return found(scores.unknown, 'has no host for mail', unknown);
}
