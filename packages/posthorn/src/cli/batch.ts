import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { wrapBatch } from '@posthorn/smtp/batch/batch-object';
import { type EnclosedMessage, writeBatch } from '@posthorn/smtp/batch/write-batch';
import { type ClientEnvelope, toTransaction } from '@posthorn/smtp/client/envelope';
import { readCorrespondents } from '@posthorn/smtp/message/addressees';
import { formatDate } from '@posthorn/smtp/message/date';
import { splitMessage, withoutFields } from '@posthorn/smtp/message/header';
import { mendText } from '@posthorn/smtp/protocol/client-text';
import type { Command } from 'commander';
import { type ReadOptions, readBatchFile } from './batch-read.ts';
import { Exit, exitCodes } from './exit.ts';
import { readInput } from './letter.ts';
import type { Terminal } from './terminal.ts';

interface WriteOptions {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly name?: string;
  readonly mime?: boolean;
  readonly extension?: readonly string[];
}

/** `posthorn batch …`: mail as files of frozen transactions (RFC 2442). */
export function addBatch(program: Command, terminal: Terminal): void {
  const batch = program.command('batch').description('write mail into a batch file, or send what one holds (BSMTP)');
  batch
    .command('write')
    .description('write messages as one batch to standard output')
    .argument('<message...>', 'files with a header and a body; - for standard input')
    .option('-f, --from <address>', 'the sender of all; default: what each header says; "" for none')
    .option('-t, --to <address>', 'a recipient of all, once for each; default: what each header says', append)
    .option('--name <name>', 'the name to greet with; default: that of this machine')
    .option('--mime', 'write it as a MIME object, to be sent by mail')
    .option('--extension <keyword>', 'what the reader is known to understand beyond 8BITMIME, SIZE and DSN', append)
    .action((files: string[], options: WriteOptions) => write(files, options, terminal));
  batch
    .command('read')
    .description('list what a batch holds, or send it: each message once, however often this is broken off')
    .argument('<batch>', 'a file, plain or a MIME object; - for standard input')
    .option('-s, --server <address>', 'send it to host, host:port, [IPv6]:port or the path of a socket')
    .option('--json', 'write one line of JSON for each message')
    .action((file: string, options: ReadOptions) => readBatchFile(file, options, terminal));
}

/** These options take one value at a time, as files come behind them. */
function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function write(files: readonly string[], options: WriteOptions, terminal: Terminal): Promise<void> {
  const messages: EnclosedMessage[] = [];
  for (const file of files) messages.push(toEnclosed(await readMessage(file, terminal), file, options));
  const plan = { name: options.name ?? localName(), extensions: options.extension ?? [] };
  const pieces: Buffer[] = [];
  for await (const piece of writeBatch(plan, messages)) pieces.push(piece);
  const batch = Buffer.concat(pieces);
  const object = options.mime ? Buffer.concat([Buffer.from(dateField()), wrapBatch(batch, options.extension)]) : batch;
  terminal.outOctets(object);
}

async function readMessage(file: string, terminal: Terminal): Promise<Buffer> {
  if (file === '-') return readInput(terminal);
  try {
    return await readFile(resolve(terminal.folder, file));
  } catch (error) {
    throw new Exit(`${(error as Error).message}. Name a file that may be read, or - for standard input.`);
  }
}

function toEnclosed(message: Buffer, file: string, options: WriteOptions): EnclosedMessage {
  const { header, separator, body } = splitMessage(mendText(message));
  // Whoever gets the message must not read whom else it went to (RFC 5322 §3.6.3).
  const text = Buffer.concat([withoutFields(header, 'bcc', 'resent-bcc'), separator, body]);
  const named = readCorrespondents(header, { domain: 'invalid', isWhole: () => true });
  const to = options.to ?? named.recipients;
  const from = options.from ?? named.sender;
  if (from === undefined || to.length === 0) {
    throw new Exit(`${file} does not say who it is from and for. Give --from and --to.`, exitCodes.usage);
  }
  const isForeign = [from, ...to].some((address) => /[^\0-\x7f]/.test(address));
  const envelope: ClientEnvelope = {
    from,
    to,
    mail: {
      size: text.length,
      ...(text.some((octet) => octet > 127) || isForeign ? { body: '8BITMIME' } : {}),
      ...(isForeign ? { smtputf8: true } : {}),
    },
  };
  return { transaction: toTransaction(envelope), text: [text] };
}

function dateField(): string {
  const now = new Date();
  return `Date: ${formatDate(now.getTime(), -now.getTimezoneOffset())}\r\n`;
}

function localName(): string {
  const name = hostname();
  return name.includes('.') ? name : '[127.0.0.1]';
}
