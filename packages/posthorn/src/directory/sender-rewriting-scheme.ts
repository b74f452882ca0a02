import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Mailbox } from '@posthorn/smtp/address/mailbox';

/** What senders are rewritten with. */
export interface SenderRewritingRules {
  /** The domain of the senders that are written, whose mail comes back here. */
  readonly domain: string;
  /** What only this host knows. */
  readonly secret: Buffer;
  /** Days that reports are taken back for. */
  readonly days: number;
}

/** Senders that lead back: of mail that is forwarded, so that its next host finds it sent by who brings it (Sender Rewriting Scheme). */
export interface SenderRewriting {
  /** The sender as it is written; undefined where that would be too long for a path. */
  rewrite(sender: Mailbox, now: number): Mailbox | undefined;
  /** Whom mail to a rewritten sender goes to; undefined: it is none; else what is wrong with it. */
  reverse(recipient: Mailbox, now: number): Mailbox | 'forged' | 'expired' | undefined;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const day = 86_400_000;
/** Days are told by two letters, and come round again. */
const round = 1024;
const hashLength = 8;
/** A path has 256 octets with its brackets (RFC 5321 §4.5.3.1.3). */
const longestPath = 254;

/**
 * `SRS0=hash=day=domain=local` stands for `local@domain`; where the sender was rewritten by another host already,
 * `SRS1=hash=host=rest` leads back to that one directly. Neither depends on case, which some hosts change.
 */
export function createSenderRewriting({ domain, secret, days }: SenderRewritingRules): SenderRewriting {
  const hash = (...parts: readonly string[]): string => {
    const digest = createHmac('sha256', secret).update(parts.join('=').toLowerCase()).digest();
    return [...digest.subarray(0, hashLength)].map((octet) => alphabet[octet & 31]).join('');
  };
  const isHash = (given: string, ...parts: readonly string[]): boolean =>
    /^[a-z2-7]{8}$/i.test(given) && timingSafeEqual(Buffer.from(given.toLowerCase()), Buffer.from(hash(...parts)));

  const localPartFor = (sender: Mailbox, now: number): string => {
    const { localPart } = sender;
    const again = /^SRS1[=+-][^=]*=([^=]+)=(.+)$/is.exec(localPart);
    if (again !== null) return guarded(again[1] ?? '', again[2] ?? '');
    const first = /^SRS0([=+-].+)$/is.exec(localPart);
    if (first !== null) return guarded(sender.domain, first[1] ?? '');
    const time = formatDay(now);
    return `SRS0=${hash(time, sender.domain, localPart)}=${time}=${sender.domain}=${localPart}`;
  };
  const guarded = (host: string, rest: string): string => `SRS1=${hash(host, rest)}=${host}=${rest}`;

  const reverseFirst = (localPart: string, now: number): Mailbox | 'forged' | 'expired' => {
    const [, given = '', time = '', host = '', local = ''] =
      /^SRS0[=+-]([^=]*)=([^=]*)=([^=]+)=(.+)$/is.exec(localPart) ?? [];
    if (host === '' || !isHash(given, time, host, local)) return 'forged';
    return isWithin(time, now, days) ? { localPart: local, domain: host } : 'expired';
  };
  const reverseAgain = (localPart: string): Mailbox | 'forged' => {
    const [, given = '', host = '', rest = ''] = /^SRS1[=+-]([^=]*)=([^=]+)=([=+-].+)$/is.exec(localPart) ?? [];
    return host !== '' && isHash(given, host, rest) ? { localPart: `SRS0${rest}`, domain: host } : 'forged';
  };

  return {
    rewrite(sender, now) {
      const localPart = localPartFor(sender, now);
      return Buffer.byteLength(localPart) + domain.length + 1 > longestPath ? undefined : { localPart, domain };
    },
    reverse(recipient, now) {
      if (recipient.domain.toLowerCase() !== domain) return undefined;
      const { localPart } = recipient;
      if (/^SRS0[=+-]/i.test(localPart)) return reverseFirst(localPart, now);
      return /^SRS1[=+-]/i.test(localPart) ? reverseAgain(localPart) : undefined;
    },
  };
}

function formatDay(now: number): string {
  const count = Math.floor(now / day) % round;
  return `${alphabet[count >> 5]}${alphabet[count & 31]}`;
}

function isWithin(text: string, now: number, days: number): boolean {
  const [high = -1, low = -1] = [...text.toLowerCase()].map((letter) => alphabet.indexOf(letter));
  if (text.length !== 2 || high < 0 || low < 0) return false;
  const age = ((Math.floor(now / day) % round) - (high * 32 + low) + round) % round;
  return age <= days;
}
