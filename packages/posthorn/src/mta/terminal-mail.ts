import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, IncomingText, Transaction } from '@posthorn/smtp/server';
import { Terminals } from '../agents/terminals.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { Refusal } from './refusal.ts';
import { withPieces } from './with-pieces.ts';

const inactive = reply(450, '4.2.1', 'No terminal of the user takes messages now');
const elsewhere = reply(550, '5.3.3', 'SEND reaches the terminals of this host alone');
const tooLong = reply(552, '5.3.4', 'The message is too long for a terminal');

/** What is decided about mail that SEND, SOML and SAML bring to terminals (RFC 821 §3.4). */
export class TerminalMail {
  readonly terminals: Terminals;
  /** Octets of a message that are shown. */
  readonly most: number;
  readonly #directory: () => Directory;

  constructor({ utmp, messageSize }: NonNullable<Config['terminals']>, directory: () => Directory) {
    this.most = messageSize;
    this.#directory = directory;
    this.terminals = new Terminals({
      utmp,
      mailboxOf: (address) => directory().mailboxOf(address),
      userOf: (mailbox) => userOf(mailbox, directory().homeDomain),
    });
  }

  /** Refuses what SEND announces as longer than a terminal is to show; SOML and SAML have a mailbox for it (RFC 821 §4.3). */
  checkMail({ verb, mail }: Transaction): Reply | undefined {
    return verb === 'SEND' && (mail.size ?? 0) > this.most ? tooLong : undefined;
  }

  /** Refuses a recipient of SEND who would not see it now (RFC 821 §3.4). */
  async checkRecipient({ mailbox }: AcceptedRecipient, { verb }: Transaction): Promise<Reply | undefined> {
    if (verb !== 'SEND') return undefined;
    const address = formatMailbox(mailbox);
    const directory = this.#directory();
    const { kind } = directory.lookup(address);
    if (kind === 'foreign' || kind === 'relay') return elsewhere;
    const expansion = directory.expand(address);
    const addresses = expansion.kind === 'recipients' ? expansion.recipients : [];
    for (const each of addresses) if (await this.terminals.isActive(each)) return undefined;
    return inactive;
  }

  /** The text of SEND; it throws Refusal when it is longer than a terminal is to show. */
  boundText(text: IncomingText, { verb }: Transaction): IncomingText {
    if (verb !== 'SEND') return text;
    const bounded = boundedBy(text, this.most);
    return withPieces(text, () => bounded);
  }
}

async function* boundedBy(text: IncomingText, most: number): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const piece of text) {
    size += piece.length;
    if (size > most) throw new Refusal(tooLong);
    yield piece;
  }
}

/** Users of this host have their mailboxes in its home domain, under the names by which they log in. */
function userOf(mailbox: string, homeDomain: string): string | undefined {
  const at = mailbox.lastIndexOf('@');
  return mailbox.slice(at + 1).toLowerCase() === homeDomain ? mailbox.slice(0, at).toLowerCase() : undefined;
}
