import type { Answer } from '@posthorn/smtp/protocol/server-answers';
import type { ServerEvent } from '@posthorn/smtp/protocol/server-event';
import type { AcceptedRecipient, Transaction } from '@posthorn/smtp/protocol/transaction';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import { keysOf, saltPassword } from '@posthorn/smtp/sasl/scram-keys';

/** A message that was accepted. */
export interface Kept {
  readonly transaction: Transaction;
  readonly text: string;
}

/** Recipients by local-part that are not simply accepted. */
const recipients: Readonly<Record<string, Reply>> = {
  Green: reply(550, '5.1.1', 'No such user'),
  full: reply(452, '4.2.2', 'Mailbox full'),
  Postel: reply(251, '2.1.5', 'User not local; will forward to <Postel@USC-ISIF.ARPA>'),
  Paul: reply(551, '5.1.6', 'User not local; please try <Mockapetris@USC-ISIF.ARPA>'),
  relay: reply(550, '5.7.1', 'Relaying denied'),
};

/** Senders by local-part that are refused. */
const senders: Readonly<Record<string, Reply>> = {
  blocked: reply(550, '5.7.1', 'Sender refused'),
  later: reply(450, '4.1.8', 'Sender domain cannot be looked up now'),
  nullmx: reply(550, '5.7.27', 'Sender domain takes no mail'),
  crowded: reply(452, '4.3.1', 'No room for that now'),
};

/** Users of VRFY. */
const users: Readonly<Record<string, Reply>> = {
  Smith: reply(250, '2.1.5', 'Fred Smith <Smith@USC-ISIF.ARPA>'),
  Nobody: reply(550, '5.1.1', 'No such user'),
  Pelé: reply(250, '2.1.5', 'Pelé <Pelé@example.test>'),
};

/** Secrets of CRAM-MD5. */
const secrets: Readonly<Record<string, string>> = { branch: 'thirteen grey herons' };

/** What is said of nodes by ETRN, and of domains by ATRN. */
const nodes: Readonly<Record<string, Reply>> = {
  'none.test': reply(251, '2.0.0', 'Ok, no messages waiting for node none.test'),
  'some.test': reply(252, '2.0.0', 'Ok, pending messages for node some.test started'),
  'three.test': reply(253, '2.0.0', 'Ok, 3 pending messages for node three.test started'),
  'full.test': reply(458, '4.3.0', 'Unable to queue messages for node full.test'),
  'other.test': reply(459, '4.7.1', 'Node other.test not allowed: not yours'),
  'foreign.test': reply(450, '4.7.1', 'ATRN request refused'),
  'down.test': reply(451, '4.3.0', 'Unable to process ATRN request now'),
  'empty.test': reply(453, '4.2.0', 'You have no mail'),
};

/** What SCRAM-SHA-256 keeps of the password `secret` of alice. */
const salting = { salt: Buffer.from('salt of alice'), iterations: 4096 };
const scramKeys = keysOf('SHA-256', saltPassword('SHA-256', 'secret', salting), salting);

const passwords: Readonly<Record<string, Answer>> = {
  'alice:secret': { login: 'alice' },
  'disabled:secret': reply(525, '5.7.13', 'Account disabled'),
  'down:secret': reply(454, '4.7.0', 'Try later'),
};

/** An application for tests that answers at once, and keeps what it accepts. */
export class TestApplication {
  readonly kept: Kept[] = [];
  /**
   * What was asked, in words; pieces of a text that follow one another are one. How much of a text had come when it was
   * refused is left out, since that depends on how it came.
   */
  readonly asked: string[] = [];
  #transaction: Transaction | undefined;
  #text = '';

  handle(event: ServerEvent): Answer {
    this.#note(event);
    switch (event.kind) {
      case 'recipient':
        return own(recipients, event.recipient.mailbox.localPart);
      case 'mail':
        return this.#mail(event.transaction);
      case 'message':
        this.#transaction = event.transaction;
        this.#text = '';
        return undefined;
      case 'text':
        this.#text += event.bytes.toString('latin1');
        return undefined;
      case 'authenticate': {
        const { user, password, authorizeAs } = event.credentials;
        // Nobody looks here whether it was proven: the session does.
        if ('proven' in event.credentials) return { login: user };
        if ('token' in event.credentials && event.credentials.token === 'good') return { login: 'alice' };
        if ('proves' in event.credentials && event.credentials.proves?.(own(secrets, user) ?? ''))
          return { login: user };
        const mayAct = authorizeAs === '' || authorizeAs === user;
        return (
          (mayAct ? own(passwords, `${user}:${password}`) : undefined) ?? reply(535, '5.7.8', 'Credentials invalid')
        );
      }
      case 'keys':
        return event.request.user === 'alice' ? scramKeys : undefined;
      case 'etrn':
        return own(nodes, event.request.name);
      case 'atrn':
        return event.domains.map((domain) => own(nodes, domain)).find((refusal) => refusal !== undefined);
      case 'verify':
        return own(users, event.argument);
      case 'expand':
        return event.argument === 'staff'
          ? reply(250, '2.1.5', '<a@x.test>', '<b@x.test>')
          : reply(550, '5.7.2', 'Denied');
      case 'end':
        return this.#end(event.recipient, event.refused);
      default:
        return undefined;
    }
  }

  giveUp(): void {}

  close(): void {}

  /** Of `known@…` this much is there by DATA, of `chunks@…` by BDAT. */
  #mail({ reversePath, mail, recipients }: Transaction): Answer {
    const name = mail.transactionId?.split('@', 1)[0];
    const known = [...recipients, { mailbox: { localPart: 'b', domain: 'y.test' }, parameters: {} }];
    if (name === 'known') return { offset: 8, recipients: known, by: 'DATA' };
    if (name === 'chunks') return { offset: 5, recipients: known, by: 'BDAT' };
    return own(senders, reversePath?.localPart ?? '');
  }

  #end(index: number, refused: Reply | undefined): Answer {
    const transaction = this.#transaction as Transaction;
    if (refused !== undefined) return undefined;
    if (index === 0) this.kept.push({ transaction, text: this.#text });
    if (this.#text.startsWith('Subject: spam')) return reply(550, '5.7.1', 'Spam');
    const quota = transaction.recipients.length > 0 && isOver(transaction.recipients[index]);
    return quota ? reply(452, '4.2.2', 'Over quota') : reply(250, '2.0.0', `Ok: queued as ${this.kept.length}`);
  }

  #note(event: ServerEvent): void {
    const words = describe(event);
    const last = this.asked.length - 1;
    const isLost = event.kind === 'abort' || (event.kind === 'end' && event.refused !== undefined);
    if (isLost && this.asked[last]?.startsWith('text ')) this.asked.pop();
    if (event.kind === 'text' && this.asked[last]?.startsWith('text ')) this.asked[last] += words.slice(5);
    else this.asked.push(words);
  }
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isOver(recipient: AcceptedRecipient | undefined): boolean {
  return recipient?.mailbox.localPart === 'quota';
}

function describe(event: ServerEvent): string {
  switch (event.kind) {
    case 'text':
      return `text ${event.bytes.toString('latin1')}`;
    case 'message':
      return 'message';
    case 'end':
      return `end ${event.recipient} ${event.refused?.code ?? ''}`;
    case 'recipient':
      return `recipient ${JSON.stringify(event.recipient)}`;
    default:
      return JSON.stringify(event);
  }
}
