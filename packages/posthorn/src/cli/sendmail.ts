import { userInfo } from 'node:os';
import type { ClientRecipient } from '@posthorn/smtp/client/envelope';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { ConnectionFailure, type SendResult } from '@posthorn/smtp/client/send-result';
import type { Notify } from '@posthorn/smtp/command/parameters';
import { Failure } from '@posthorn/smtp/failure/failure';
import { readCorrespondents } from '@posthorn/smtp/message/addressees';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import type { Command } from 'commander';
import { createControlClient } from '../control/control-client.ts';
import { controlPath } from '../control/control-path.ts';
import { Exit } from './exit.ts';
import { findSocket, meantConfig } from './find-socket.ts';
import { readInput } from './letter.ts';
import { parseSendmail, type SendmailOptions } from './sendmail-options.ts';
import { talk } from './smtp.ts';
import { sysexits } from './sysexits.ts';
import { printable, type Terminal } from './terminal.ts';

/** The server knows what this stands for: the domain of its own mailboxes. */
const here = 'localhost';
const completion = { domain: here, isWhole: () => true };
/** Milliseconds for the whole of it. */
const deadline = 10 * 60_000;

/** `posthorn sendmail`: what programs of this host call that know of no other way to send mail. */
export function addSendmail(program: Command): void {
  program
    .command('sendmail')
    .description('hand mail in as the command sendmail does: -t -i -f -F -bs -bp -bm -bi -q -N -R -V -C')
    .argument('[words...]');
}

/** Does what the words of a sendmail command ask for. Throws Exit with a code of sysexits.h. */
export async function runSendmail(words: readonly string[], terminal: Terminal): Promise<void> {
  const options = parseSendmail(words);
  if (typeof options === 'string') throw new Exit(options, sysexits.usage);
  switch (options.mode) {
    case 'smtp':
      return talk(await findSocket(options.config, terminal), terminal);
    case 'queue':
      return (await import('./mailq.ts')).listQueue(options.config, terminal);
    case 'run':
      return (await import('./mailq.ts')).runQueue(options.config, terminal);
    case 'aliases':
      return readAliasesAnew(options.config, terminal);
    default:
      return handIn(options, terminal);
  }
}

/** `newaliases`: the server reads its files of aliases anew. */
async function readAliasesAnew(file: string | undefined, terminal: Terminal): Promise<void> {
  const { dataDir } = await meantConfig(file, terminal);
  try {
    const result = await createControlClient(controlPath(dataDir)).reload();
    if (result.kind === 'refused') throw new Exit(result.mistakes.join('\n'), sysexits.data);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'refused') throw error;
    terminal.say('No server runs; it reads its aliases when it starts.\n');
  }
}

async function handIn(options: SendmailOptions, terminal: Terminal): Promise<void> {
  const message = toMessage(await readInput(terminal), options);
  const { header } = splitMessage(message);
  const { recipients, sender } = envelopeOf(options, header);
  const text = fieldValue(header, 'from') === undefined ? Buffer.concat([authorField(options), message]) : message;
  const { ret, envelopeId } = options;
  const isForeign = [sender, ...recipients.map(({ address }) => address)].some((each) => /[^\0-\x7f]/.test(each));
  const mail = {
    ...(ret === undefined ? {} : { ret }),
    ...(envelopeId === undefined ? {} : { envelopeId }),
    ...(message.some((octet) => octet > 127) ? { body: '8BITMIME' as const } : {}),
    ...(isForeign ? { smtputf8: true as const } : {}),
  };
  const result = await submit(await findSocket(options.config, terminal), {
    envelope: { from: sender, to: recipients, mail },
    text,
  });
  judge(result);
}

interface Recipient {
  readonly address: string;
  readonly notify?: readonly Notify[];
}

function envelopeOf(options: SendmailOptions, header: Buffer): { recipients: Recipient[]; sender: string } {
  const named = readCorrespondents(header, completion);
  if (options.fromHeader && named.faulty !== undefined) {
    throw new Exit(`The field ${named.faulty} has a bad address.`, sysexits.data);
  }
  const addresses = [...options.recipients.map(whole), ...(options.fromHeader ? named.recipients : [])];
  if (addresses.length === 0) throw new Exit('There is no recipient. Name one, or use -t with To.', sysexits.usage);
  const notify = options.notify as readonly Notify[] | undefined;
  const recipients = [...new Set(addresses)].map((address) => ({
    address,
    ...(notify === undefined ? {} : { notify }),
  }));
  return { recipients, sender: options.sender === '' ? '' : whole(options.sender ?? userInfo().username) };
}

/** Names without a domain are those of this host. */
function whole(address: string): string {
  return address.includes('@') ? address : `${address}@${here}`;
}

function authorField({ sender, fullName }: SendmailOptions): Buffer {
  const address = sender || userInfo().username;
  const name = fullName !== undefined && /^[ -~]+$/.test(fullName) ? `"${fullName.replace(/["\\]/g, '\\$&')}" ` : '';
  return Buffer.from(`From: ${name}<${address}>\r\n`);
}

/** Without the line that mailboxes have before each message, and without what is behind a lone dot, unless that is text. */
function toMessage(input: Buffer, { dotIsText }: SendmailOptions): Buffer {
  const start = input.subarray(0, 5).toString('latin1') === 'From ' ? input.indexOf(10) + 1 : 0;
  const message = start === 0 ? input : input.subarray(start);
  if (dotIsText) return message;
  const end = /(?:^|\n)\.\r?(?:\n|$)/.exec(message.toString('latin1'));
  return end === null ? message : message.subarray(0, end.index + (end[0].startsWith('\n') ? 1 : 0));
}

async function submit(
  path: string,
  message: { envelope: { from: string; to: readonly ClientRecipient[]; mail: object }; text: Buffer },
): Promise<SendResult> {
  try {
    await using connection = await openConnection({ path });
    return await connection.send(message, { deadline });
  } catch (error) {
    if (error instanceof ConnectionFailure) {
      const advice = 'Start the server, or name its configuration by -C or POSTHORN_CONFIG.';
      throw new Exit(`${error.message}. The message was not taken. ${advice}`, sysexits.temporary);
    }
    if (error instanceof Failure) throw new Exit(error.message, sysexits.data);
    throw error;
  }
}

/** Says what was refused, and why, by text and code. */
function judge({ ok, recipients }: SendResult): void {
  if (ok) return;
  const bad = recipients.filter(({ kind }) => kind !== 'accepted');
  const lines = bad.map(({ address, reply, failure }) => {
    const said = reply === undefined ? failure?.message : [reply.code, reply.status, ...reply.lines].join(' ');
    return printable(`${address}: ${said ?? 'not taken'}`);
  });
  const refused = bad.find(({ kind }) => kind === 'refused');
  throw new Exit(lines.join('\n'), refused === undefined ? sysexits.temporary : codeOf(refused));
}

function codeOf({ reply, status, phase }: SendResult['recipients'][number]): number {
  if (status?.startsWith('5.1.1')) return sysexits.noUser;
  if (status?.startsWith('5.7.')) return sysexits.permission;
  return phase === 'text' && reply?.code === 554 ? sysexits.data : sysexits.unavailable;
}
