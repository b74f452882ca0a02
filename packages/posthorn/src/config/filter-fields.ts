import { z } from 'zod';
import { field } from './field.ts';
import { count, duration, flag } from './fields.ts';
import * as mail from './mail-fields.ts';

/** One word of a list. */
function choice<const Word extends string>(words: readonly Word[], expected: string) {
  return field<Word>({
    parse: (value) => words.find((word) => word === value),
    expected,
    remedy: `Write one of: ${words.map((word) => `"${word}"`).join(', ')}.`,
  });
}

const strictness = () => choice(['score', 'refuse'], '"score" or "refuse"').exactOptional();

/** A score: what a finding counts, or a sum from which on something happens. */
const score = () =>
  field<number>({
    parse: (value) => (typeof value === 'number' && value >= 0 && value <= 1000 ? value : undefined),
    expected: 'a number from 0 to 1000',
    remedy: 'Write a number such as 5.',
  });

const dnsList = z.strictObject({
  /** The domain of the list, such as `zen.example`. */
  list: mail.domain(),
  /** What is looked up: the address of the client, the domain of the sender, or the name in EHLO (RFC 5782 §2). */
  of: choice(['client', 'sender', 'hello'], '"client", "sender" or "hello"').prefault('client'),
  /** Answers that count; all within 127.0.0.0/8 by default, and none beyond that ever. */
  values: z.array(mail.network()).min(1).exactOptional(),
  /** Bits of the last octet of the answer of which one has to be set (RFC 5782 §2.3). */
  mask: count(1, 255).exactOptional(),
  score: score().prefault(5),
  /** Whether being listed is enough to be refused; else it only counts. */
  refuse: flag().prefault(false),
});

const greylist = z.strictObject({
  /** A retry before this is too early; a minute to an hour is usual (RFC 6647 §5). */
  delay: duration('1s', '1m').prefault('1m'),
  /** A retry behind this counts as a first try. */
  window: duration('1m', '24h').prefault('24h'),
  /** Clients that passed are forgotten when nothing came from them for so long; a week or more (RFC 6647 §5). */
  keep: duration('7d', '35d').prefault('35d'),
  /** Clients and tries that are remembered. */
  entries: count(100, 10_000_000).prefault(200_000),
});

const rates = z.strictObject({
  /** Connections of one address within a minute; eight times as many of its network. */
  connections: count(1, 1_000_000).prefault(600),
  messages: count(1, 1_000_000).prefault(2000),
  recipients: count(1, 10_000_000).prefault(20_000),
  /** Messages of one sender within a minute, wherever they come from; without it as many as there are. */
  senderMessages: count(1, 1_000_000).exactOptional(),
});

/**
 * What strangers are judged by that bring mail to a listener `mx`: neither this machine, nor `relayFrom`, nor logins, nor
 * the networks in `exempt`. Without it only the rates are bounded.
 */
export const filterFields = z.strictObject({
  /** Networks that none of this is for. */
  exempt: z.array(mail.network()).prefault([]),
  rates: rates.prefault({}),
  /** Lists of addresses and domains that are asked by DNS. */
  dnsbl: z.array(dnsList).max(20).prefault([]),
  /** Lets unknown clients try again later. */
  greylist: greylist.exactOptional(),
  /** Clients whose address has no name, or one that does not lead back. `refuse` is for those without a name alone. */
  reverseDns: strictness(),
  /** Clients that greet with the name of this host, with one that is not in DNS, or with no full name. `refuse` is for the first alone. */
  helo: strictness(),
  /** Senders whose domain does not exist, or says that it takes no mail (RFC 7505 §4.2). */
  senderDomain: strictness(),
  /** How long clients wait for the greeting; who talks before it, or before other answers that have to be awaited, is turned away. */
  greetingDelay: duration('1ms', '2s').exactOptional(),
  /** The sums of scores from which on mail is put off, or refused. */
  score: z.strictObject({ defer: score().exactOptional(), refuse: score().exactOptional() }).prefault({}),
});
