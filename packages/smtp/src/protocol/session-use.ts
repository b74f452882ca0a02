import type { Mailbox } from '../address/mailbox.ts';
import type { Limits } from './client-capabilities.ts';

/** RCPT commands in one transaction that every host must take (RFC 5321 §4.5.3.1.8). */
const recipientsForAll = 100;

/** How much of what a host allows for one session is used up (RFC 9422 §3). */
export class SessionUse {
  /** The latest EHLO counts (RFC 9422 §3). */
  limits: Limits = {};
  #mails = 0;
  readonly #domains = new Set<string>();

  /** Whether another transaction may begin. */
  get spent(): boolean {
    return this.#mails >= (this.limits.mailMax ?? Number.POSITIVE_INFINITY);
  }

  /** Whether a transaction with these recipients may begin; others may have begun since it was put together. */
  admits(recipients: readonly { readonly mailbox: Mailbox }[]): boolean {
    const { rcptDomainMax } = this.limits;
    if (this.spent || rcptDomainMax === undefined) return !this.spent;
    const most = recipients.length;
    return this.#withinDomains(recipients, { most, rcptDomainMax }) === most;
  }

  /** How many of the first recipients may go in one transaction now; 0: the session is used up. */
  portion(recipients: readonly { readonly mailbox: Mailbox }[]): number {
    const { rcptMax = recipientsForAll, rcptDomainMax } = this.limits;
    if (this.spent) return 0;
    const most = Math.min(rcptMax, recipientsForAll, recipients.length);
    return rcptDomainMax === undefined ? most : this.#withinDomains(recipients, { most, rcptDomainMax });
  }

  /** Counts a MAIL and its recipients. */
  count(recipients: readonly { readonly mailbox: Mailbox }[]): void {
    this.#mails += 1;
    if (this.limits.rcptDomainMax === undefined) return;
    for (const { mailbox } of recipients) this.#domains.add(mailbox.domain.toLowerCase());
  }

  #withinDomains(
    recipients: readonly { readonly mailbox: Mailbox }[],
    { most, rcptDomainMax }: { readonly most: number; readonly rcptDomainMax: number },
  ): number {
    const domains = new Set(this.#domains);
    for (let index = 0; index < most; index += 1) {
      domains.add(recipients[index]?.mailbox.domain.toLowerCase() ?? '');
      if (domains.size > rcptDomainMax) return index;
    }
    return most;
  }
}
