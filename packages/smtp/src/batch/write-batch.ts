import { formatCommand } from '../command/format-command.ts';
import { writeMailParameters, writeRcptParameters } from '../command/parameters.ts';
import { Failure } from '../failure/failure.ts';
import { TextWriter } from '../protocol/client-text.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { offeredExtensions } from './required-extensions.ts';

/** One message of a batch. */
export interface EnclosedMessage {
  readonly transaction: Pick<Transaction, 'reversePath' | 'mail' | 'recipients'>;
  /** Header and body, with CRLF or LF line ends. */
  readonly text: AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** What a batch is written with. */
export interface BatchPlan {
  /** Domain or literal for EHLO. */
  readonly name: string;
  /** Extensions beyond 8BITMIME, SIZE and DSN that the other side has agreed to (RFC 2442). */
  readonly extensions?: readonly string[];
}

/**
 * Writes a batch piece by piece, as a client that takes every command as accepted. Throws Failure `invalid` for a message
 * that needs an extension that was not agreed on (RFC 2442).
 */
export async function* writeBatch(
  { name, extensions = [] }: BatchPlan,
  messages: AsyncIterable<EnclosedMessage> | Iterable<EnclosedMessage>,
): AsyncGenerator<Buffer, void, undefined> {
  const offered = offeredExtensions(extensions);
  yield line({ verb: 'EHLO', name });
  for await (const { transaction, text } of messages) {
    checkNeeds(transaction, offered);
    const { reversePath, mail, recipients } = transaction;
    yield line({ verb: 'MAIL', reversePath, parameters: writeMailParameters(mail, offered) });
    for (const { mailbox, parameters } of recipients) {
      yield line({ verb: 'RCPT', forwardPath: mailbox, parameters: writeRcptParameters(parameters, offered) });
    }
    yield line({ verb: 'DATA' });
    const writer = new TextWriter(true);
    for await (const piece of text) yield writer.write(piece);
    yield writer.end();
  }
  yield line({ verb: 'QUIT' });
}

function line(command: Parameters<typeof formatCommand>[0]): Buffer {
  return Buffer.from(`${formatCommand(command)}\r\n`);
}

/** What a batch cannot say must not be left out in silence. */
function checkNeeds({ mail, recipients }: EnclosedMessage['transaction'], offered: ReadonlySet<string>): void {
  if (mail.smtputf8 === true && !offered.has('SMTPUTF8')) throw new Failure('invalid', 'SMTPUTF8 was not agreed on');
  if (mail.body === 'BINARYMIME') throw new Failure('invalid', 'binary text cannot stand in DATA');
  if (recipients.length === 0) throw new Failure('invalid', 'a message needs a recipient');
}
