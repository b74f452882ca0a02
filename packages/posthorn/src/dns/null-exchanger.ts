import type { Answer, MailExchanger } from './resolver.ts';

/** Whether a domain says by its only mail exchanger, the root, that it takes no mail (RFC 7505 §3). */
export function isNullExchanger(answer: Answer<MailExchanger>): boolean {
  if (answer.kind !== 'found' || answer.records.length !== 1) return false;
  return answer.records[0]?.exchange === '.' || answer.records[0]?.exchange === '';
}
