import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { readBatchLabel, readBatchObject } from '@posthorn/smtp/batch/batch-object';
import { BatchReader } from '@posthorn/smtp/batch/batch-reader';
import type { RecipientResult } from '@posthorn/smtp/client/send-result';
import { splitMessage } from '@posthorn/smtp/message/header';
import { mendText } from '@posthorn/smtp/protocol/client-text';
import type { Transaction } from '@posthorn/smtp/protocol/transaction';
import { BatchProgress } from './batch-progress.ts';
import { Exit, exitCodes } from './exit.ts';
import { readInput } from './letter.ts';
import { openOrExit } from './open-or-exit.ts';
import { parseServer } from './server-address.ts';
import { printable, type Terminal } from './terminal.ts';

/** What `posthorn batch read` is asked for. */
export interface ReadOptions {
  readonly server?: string;
  readonly json?: boolean;
}

interface Enclosed {
  readonly transaction: Transaction;
  readonly text: Buffer;
}

const limits = { messageSize: 128 * 2 ** 20, recipients: 100_000, messages: 1_000_000 };
/** Milliseconds for one message. */
const deadline = 60 * 60_000;

/** Lists what a batch holds, or sends it. Throws Exit when it cannot be read, or when not all of it is taken. */
export async function readBatchFile(file: string, { server, json }: ReadOptions, terminal: Terminal): Promise<void> {
  const input = await readFileOrInput(file, terminal);
  const messages = await readMessages(input);
  const tell = (enclosed: Enclosed, results?: readonly RecipientResult[]) =>
    terminal.out(json ? `${JSON.stringify(facts(enclosed, results))}\n` : describe(enclosed, results));
  if (server === undefined) {
    for (const enclosed of messages) tell(enclosed);
    return;
  }
  const path = file === '-' ? undefined : `${resolve(terminal.folder, file)}.done`;
  const progress = await BatchProgress.open(path, input);
  let refused = 0;
  for (const enclosed of messages.slice(progress.messages)) {
    const results = await send(server, enclosed, progress.recipients);
    tell(enclosed, results);
    const isOver = results.every(({ kind }) => kind !== 'deferred');
    await progress.record(
      isOver ? 'message' : results.filter(({ kind }) => kind !== 'deferred').map(({ address }) => address),
    );
    if (!isOver) {
      throw new Exit('Not all of it is sent. Run this again: it goes on where it was broken off.', exitCodes.temporary);
    }
    refused += results.filter(({ kind }) => kind === 'refused').length;
  }
  await progress.end();
  if (refused > 0) throw new Exit('', exitCodes.failed);
}

async function readFileOrInput(file: string, terminal: Terminal): Promise<Buffer> {
  if (file === '-') return readInput(terminal);
  try {
    return await readFile(resolve(terminal.folder, file));
  } catch (error) {
    throw new Exit(`${(error as Error).message}. Name a file that may be read, or - for standard input.`);
  }
}

/** A batch is read to its end before any of it is used: one with a fault is of no use at all (RFC 2442). */
async function readMessages(input: Buffer): Promise<Enclosed[]> {
  const reader = new BatchReader(limits);
  const messages: { transaction: Transaction; pieces: Buffer[] }[] = [];
  const take = (event: ReturnType<BatchReader['next']>) => {
    if (event?.kind === 'message') messages.push({ transaction: event.transaction, pieces: [] });
    else if (event?.kind === 'text') messages.at(-1)?.pieces.push(event.bytes);
    else if (event?.kind === 'fault') {
      const { code, lines } = event.reply;
      throw new Exit(`Message ${messages.length + 1} or what is before it earns ${code} ${lines.join(' ')}.`);
    }
  };
  reader.receive(await plainBatch(mendText(input)));
  for (let event = reader.next(); event !== undefined; event = reader.next()) take(event);
  take(reader.finish());
  return messages.map(({ transaction, pieces }) => ({ transaction, text: Buffer.concat(pieces) }));
}

async function plainBatch(input: Buffer): Promise<Buffer> {
  if (/^(?:EHLO|HELO|MAIL|RSET|NOOP)\b/i.test(input.toString('latin1', 0, 5))) return input;
  const label = readBatchLabel(splitMessage(input).header);
  if (label === undefined)
    throw new Exit('It is no batch: it begins neither with EHLO nor with application/batch-SMTP.');
  if (label.unknown.length > 0) {
    throw new Exit(`It needs extensions that are not known here: ${printable(label.unknown.join(', '))}.`);
  }
  const pieces: Buffer[] = [];
  for await (const piece of readBatchObject([input], label)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** One connection each: batches are short, and what one message does to a session must not reach the next. */
async function send(
  server: string,
  { transaction, text }: Enclosed,
  done: ReadonlySet<string>,
): Promise<readonly RecipientResult[]> {
  const target = parseServer(server, 25);
  if (target === undefined) throw new Exit('--server must be host, host:port, [IPv6]:port or a path.', exitCodes.usage);
  const { reversePath, mail } = transaction;
  const recipients = transaction.recipients.filter(({ mailbox }) => !done.has(formatMailbox(mailbox)));
  if (recipients.length === 0) return [];
  await using connection = await openOrExit(target);
  const { size: _, ...wishes } = mail;
  const envelope = {
    from: reversePath === null ? '' : formatMailbox(reversePath),
    to: recipients.map(({ mailbox, parameters }) => ({ address: formatMailbox(mailbox), ...parameters })),
    mail: {
      ...wishes,
      ...(text.some((octet) => octet > 127) && wishes.body === undefined ? { body: '8BITMIME' as const } : {}),
    },
  };
  return (await connection.send({ envelope, text }, { deadline })).recipients;
}

function facts({ transaction, text }: Enclosed, results?: readonly RecipientResult[]): object {
  const { reversePath, recipients, mail } = transaction;
  return {
    from: reversePath === null ? '' : formatMailbox(reversePath),
    to: recipients.map(({ mailbox, parameters }) => ({ address: formatMailbox(mailbox), ...parameters })),
    mail,
    octets: text.length,
    ...(results === undefined
      ? {}
      : { results: results.map(({ address, kind, reply }) => ({ address, kind, reply })) }),
  };
}

function describe({ transaction, text }: Enclosed, results?: readonly RecipientResult[]): string {
  const { reversePath, recipients } = transaction;
  const from = reversePath === null ? '<>' : formatMailbox(reversePath);
  const to = recipients.map(({ mailbox }) => formatMailbox(mailbox)).join(', ');
  const lines = (results ?? []).map(({ address, kind, reply, failure }) => {
    const said = reply === undefined ? (failure?.message ?? '') : `${reply.code} ${reply.lines.join(' ')}`;
    return `  ${kind} ${address}: ${said}`;
  });
  return [`${text.length} octets from ${from} for ${to}`, ...lines].map((line) => `${printable(line)}\n`).join('');
}
