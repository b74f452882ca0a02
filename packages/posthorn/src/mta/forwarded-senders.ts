import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatMailbox, type Mailbox } from '@posthorn/smtp/address/mailbox';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { createSenderRewriting, type SenderRewriting } from '../directory/sender-rewriting-scheme.ts';
import type { Recipient } from '../queue/envelope.ts';

/** What the senders of forwarded mail are written with. */
export interface ForwardedSendersParts {
  readonly rewriting: SenderRewriting;
  readonly directory: () => Pick<Directory, 'lookup'>;
  readonly now: () => number;
}

const forged = reply(550, '5.1.1', 'No such mailbox here');
const expired = reply(550, '5.1.1', 'The time to report about that message is over');
const reportsOnly = reply(550, '5.7.1', 'Only reports about a message may go there');

/** Writes the senders of mail that is forwarded to other hosts, and takes reports about it back to who sent it. */
export class ForwardedSenders {
  readonly #parts: ForwardedSendersParts;

  constructor(parts: ForwardedSendersParts) {
    this.#parts = parts;
  }

  /** `accept` for a report to a sender that was written here; a reply for what only looks like it; undefined for all else. */
  admit(recipient: Mailbox, reversePath: Mailbox | null): 'accept' | Reply | undefined {
    const sender = this.#reverse(recipient);
    if (sender === undefined) return undefined;
    if (typeof sender === 'string') return sender === 'expired' ? expired : forged;
    // Whoever has got hold of such an address must not write mail by it that is no report.
    return reversePath === null ? 'accept' : reportsOnly;
  }

  /** The transaction with reports on their way back. */
  returned(transaction: Transaction): Transaction {
    const { recipients, reversePath } = transaction;
    if (reversePath !== null) return transaction;
    const back = recipients.map((each) => {
      const sender = this.#reverse(each.mailbox);
      return sender === undefined || typeof sender === 'string' ? each : { ...each, mailbox: sender };
    });
    return { ...transaction, recipients: back };
  }

  /** The recipients, those elsewhere that nobody named in the transaction with a sender of this host. */
  rewritten(recipients: readonly Recipient[], { reversePath, recipients: named }: Transaction): Recipient[] {
    if (reversePath === null || !this.#isElsewhere(formatMailbox(reversePath))) return [...recipients];
    const sender = this.#parts.rewriting.rewrite(reversePath, this.#parts.now());
    if (sender === undefined) return [...recipients];
    const given = new Set(named.map(({ mailbox }) => formatMailbox(mailbox)));
    return recipients.map((each) => {
      const isForwarded = each.target === undefined && each.reversePath === undefined && !given.has(each.address);
      return isForwarded && this.#isElsewhere(each.address) ? { ...each, reversePath: formatMailbox(sender) } : each;
    });
  }

  #isElsewhere(address: string): boolean {
    return this.#parts.directory().lookup(address).kind === 'foreign';
  }

  #reverse({ localPart, domain }: Mailbox) {
    const { rewriting, now } = this.#parts;
    return rewriting.reverse({ localPart, domain: normalizeDomain(domain) ?? domain }, now());
  }
}

const secretSize = 32;
const day = 86_400_000;

/** Opens them where the configuration asks for them. Throws Failure `storage` when the secret cannot be kept. */
export function openForwardedSenders(
  { srs, dataDir }: Config,
  parts: Omit<ForwardedSendersParts, 'rewriting'>,
): ForwardedSenders | undefined {
  if (srs === undefined) return undefined;
  const secret = readSecret(dataDir);
  const rewriting = createSenderRewriting({ domain: srs.domain, secret, days: Math.floor(srs.keep / day) });
  return new ForwardedSenders({ ...parts, rewriting });
}

/** The secret of this host, made when there is none: for its user alone. */
function readSecret(dataDir: string): Buffer {
  const path = join(dataDir, 'srs-secret');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path, randomBytes(secretSize).toString('hex'), { flag: 'wx', mode: 0o600, flush: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const secret = Buffer.from(readFileSync(path, 'latin1').trim(), 'hex');
    if (secret.length < secretSize) throw new Error('it is too short');
    return secret;
  } catch (cause) {
    throw new Failure('storage', `${path} cannot be used: ${(cause as Error).message}`, cause);
  }
}
