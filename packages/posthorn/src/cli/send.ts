import { randomBytes } from 'node:crypto';
import type { ConnectOptions, Tls } from '@posthorn/smtp/client/connect-client';
import type { RecipientResult, SendResult } from '@posthorn/smtp/client/send-result';
import { Failure } from '@posthorn/smtp/failure/failure';
import { composeMessage } from '@posthorn/smtp/message/compose-message';
import { type Command, Option } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { type Letter, readLetter } from './letter.ts';
import { openOrExit } from './open-or-exit.ts';
import { withProgress } from './progress.ts';
import { addLogin, type LoginOptions, readLogin } from './send-login.ts';
import { describeTracking, type NewTracking, newTracking } from './send-tracking.ts';
import { addWishes, describeLeftOut, readWishes, type Wishes, type WishOptions } from './send-wishes.ts';
import { parseServer } from './server-address.ts';
import { printable, type Terminal } from './terminal.ts';

interface SendOptions extends WishOptions, LoginOptions {
  readonly server: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly data?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly tls?: Tls;
  readonly lmtp?: boolean;
  readonly track?: boolean;
  readonly json?: boolean;
}

/** Milliseconds for the whole of it. */
const deadline = 60 * 60_000;

/** `posthorn send`: sends one message, and tells what became of each recipient. */
export function addSend(program: Command, terminal: Terminal): void {
  const command = program
    .command('send')
    .description('send one message; exit code 1 when a recipient is refused, 75 when trying later may help')
    .requiredOption('-s, --server <address>', 'host, host:port, [IPv6]:port or the path of a socket')
    .requiredOption('-f, --from <address>', 'the sender; "" for none')
    .requiredOption('-t, --to <address...>', 'recipients')
    .addOption(
      new Option('-d, --data <file>', 'the message with its header; - for standard input').conflicts([
        'subject',
        'text',
      ]),
    )
    .option('--subject <text>', 'the subject of a message made here')
    .option('--text <text>', 'the text of a message made here')
    .addOption(
      new Option('--tls <mode>', 'default: implicit on port 465, starttls on 587, else opportunistic').choices([
        'implicit',
        'starttls',
        'opportunistic',
        'none',
      ]),
    )
    .option('--ca <file>', 'trust the certificates in this PEM file instead of those of the system')
    .option('--lmtp', 'speak LMTP')
    .option('--track', 'have its way known, and tell what `posthorn track` needs to ask for it')
    .option('--json', 'write the result as JSON');
  addWishes(addLogin(command)).action((options: SendOptions) => send(options, terminal));
}

async function send(options: SendOptions, terminal: Terminal): Promise<void> {
  const wishes = wishesOf(options);
  const connect = await connectOptions(options, terminal);
  const letter = await letterOf(options, terminal);
  const tracking = options.track ? newTracking(connect) : undefined;
  const result = await deliver(options, { connect, letter, terminal, tracking, wishes });
  const isTaken = result.recipients.some(({ kind }) => kind === 'accepted');
  const leftOut = isTaken ? wishes.leftOut(result.offered) : [];
  const tracked = isTaken && result.offered.has('MTRK') ? tracking?.sent : undefined;
  if (options.json) {
    const found = { ...result, leftOut, ...(tracked === undefined ? {} : { tracking: tracked }) };
    terminal.out(`${JSON.stringify(found, jsonSafe, 2)}\n`);
  } else {
    for (const recipient of result.recipients) terminal.out(`${describe(recipient)}\n`);
    if (tracked !== undefined) terminal.out(`${describeTracking(tracked)}\n`);
  }
  terminal.say(describeLeftOut(leftOut));
  if (options.track && tracked === undefined) {
    terminal.say('The message is not tracked: the host does not offer it.\n');
  }
  if (result.ok) return;
  const refused = result.recipients.some(({ kind }) => kind === 'refused');
  throw new Exit('', refused ? exitCodes.failed : exitCodes.temporary);
}

/** Another recipient was never meant by the address of the first. */
function wishesOf(options: SendOptions): Wishes {
  if (options.orcpt !== undefined && options.to.length > 1) {
    throw new Exit('--orcpt is about one recipient. Send to the others apart.', exitCodes.usage);
  }
  return readWishes(options);
}

async function connectOptions(options: SendOptions, terminal: Terminal): Promise<ConnectOptions> {
  const { server, requireTls, lmtp } = options;
  const target = parseServer(server, lmtp ? 24 : 25);
  if (target === undefined) {
    throw new Exit('--server must be host, host:port, [IPv6]:port or the path of a socket.', exitCodes.usage);
  }
  // A host that proves nothing, as most are let to, would only earn a refusal.
  const isUnproven = requireTls && 'host' in target && target.port !== 465;
  const tls = options.tls ?? (isUnproven ? 'starttls' : undefined);
  return {
    ...target,
    protocol: lmtp ? 'lmtp' : 'smtp',
    ...(tls === undefined ? {} : { tls }),
    ...(await readLogin(options, terminal)),
  };
}

async function letterOf({ data, subject, text, from, to }: SendOptions, terminal: Terminal): Promise<Letter> {
  if (data !== undefined) return readLetter(data, terminal);
  if (subject === undefined && text === undefined) {
    throw new Exit('There is nothing to send. Give --data, or --text with or without --subject.', exitCodes.usage);
  }
  const now = Date.now();
  const parts = { ...(subject === undefined ? {} : { subject }), text: `${text ?? ''}\n` };
  const author = from === '' ? 'postmaster@localhost' : from;
  const surroundings = { now, offsetMinutes: -new Date(now).getTimezoneOffset(), random: randomBytes };
  const bytes = await composeMessage({ from: author, to, ...parts }, surroundings).toBuffer();
  return { size: bytes.length, eightBit: false, open: bytes };
}

interface Delivery {
  readonly connect: ConnectOptions;
  readonly letter: Letter;
  readonly terminal: Terminal;
  readonly tracking: NewTracking | undefined;
  readonly wishes: Wishes;
}

async function deliver(
  { from, to }: SendOptions,
  { connect, letter, terminal, tracking, wishes }: Delivery,
): Promise<SendResult> {
  const connection = await openOrExit(connect);
  try {
    const utf8 = [from, ...to].some((address) => /[^\0-\x7f]/.test(address));
    const mail = {
      size: letter.size,
      ...(letter.eightBit || utf8 ? { body: '8BITMIME' as const } : {}),
      ...(utf8 ? { smtputf8: true as const } : {}),
      ...wishes.mail,
      ...tracking?.mail,
    };
    const recipients = to.map((address) => ({ address, ...wishes.recipient }));
    const { text, end } = withProgress(letter, terminal);
    return await connection.send({ envelope: { from, to: recipients, mail }, text }, { deadline }).finally(end);
  } finally {
    await connection.close();
  }
}

function describe({ address, kind, phase, reply, status, failure }: RecipientResult): string {
  const said = reply === undefined ? failure?.message : [reply.code, status, ...reply.lines].filter(Boolean).join(' ');
  return printable(`${kind} ${address === '' ? '<>' : address}: ${said ?? phase}`);
}

/** Failures as what they say, sets as lists. */
function jsonSafe(_: string, value: unknown): unknown {
  if (value instanceof Set) return [...value];
  return value instanceof Failure ? { kind: value.kind, message: value.message } : value;
}
