import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { ConnectionFailure } from '@posthorn/smtp/client/send-result';
import { type TriedTrick, tryRelaying } from '@posthorn/smtp/client/try-relaying';
import Table from 'cli-table3';
import type { Config } from '../config/schema.ts';
import { type StrangerTrial, tryAsStranger } from '../mta/stranger-trial.ts';
import { Exit, exitCodes } from './exit.ts';
import { plainTable } from './plain-table.ts';
import { parseServer } from './server-address.ts';
import { printable, type Terminal } from './terminal.ts';

/** A running server that is tried, and how. */
export interface RelayTrialOptions {
  readonly server: string;
  /** A domain of it; default: the server itself. */
  readonly domain?: string;
  /** A mailbox elsewhere. */
  readonly to?: string;
  readonly json?: boolean;
}

const patience = 30_000;
const timeouts = { connect: patience, greeting: patience, hello: patience, tls: patience, command: patience };
/** A domain that exists; no text is sent, so that it gets no mail. */
const somebody = 'nobody@example.net';

/** Tries a running server from here: only where it takes this machine for a stranger does the outcome mean anything. */
export async function checkServer(options: RelayTrialOptions, terminal: Terminal): Promise<void> {
  const target = parseServer(options.server, 25);
  if (target === undefined || !('host' in target)) {
    throw new Exit('The server must be host, host:port or [IPv6]:port.', exitCodes.usage);
  }
  const { to: foreign = somebody, domain = asDomain(target.host) } = options;
  if (!/^[^\s<>@"]+@[^\s<>@"]+$/.test(foreign)) throw new Exit('--to must be an address.', exitCodes.usage);
  const nobody = `nobody-${randomBytes(6).toString('hex')}`;
  const address = isIP(target.host) === 0 ? {} : { address: target.host };
  try {
    const tricks = await tryRelaying({ ...target, ...address, own: domain, foreign, nobody, timeouts });
    tell([{ role: 'server', domain, clientAddress: '', tricks }], options, terminal);
  } catch (error) {
    if (error instanceof ConnectionFailure) throw new Exit(`${error.message}.`);
    throw error;
  }
}

/** Tries what a configuration would be. */
export async function checkStrangers(config: Config, options: { readonly json?: boolean }, terminal: Terminal) {
  tell(await tryAsStranger(config), options, terminal);
}

function asDomain(host: string): string {
  if (host.includes(':')) return `[IPv6:${host}]`;
  return isIP(host) === 4 ? `[${host}]` : host;
}

function tell(trials: readonly StrangerTrial[], { json }: { readonly json?: boolean }, terminal: Terminal): void {
  const all = trials.flatMap(({ tricks }) => tricks);
  const relays = all.some(({ verdict }) => verdict === 'relays');
  // Where even a plain address elsewhere is put off, the others say nothing of what would come later.
  const unclear = all.length === 0 || trials.some(({ tricks }) => tricks[0]?.verdict === 'unclear');
  terminal.out(json ? `${JSON.stringify({ ok: !relays && !unclear, trials }, null, 2)}\n` : format(trials));
  if (relays) throw new Exit('This is an open relay: strangers can send mail to anyone through it.');
  if (unclear)
    throw new Exit(
      'Nothing is certain: mail for elsewhere was put off, or refused for another reason. Try later, or another --to.',
      exitCodes.temporary,
    );
  if (!json) terminal.out('No trick makes it relay for strangers.\n');
}

function format(trials: readonly StrangerTrial[]): string {
  return trials.map((trial) => `${titleOf(trial)}\n${tableOf(trial.tricks)}\n\n`).join('');
}

function titleOf({ role, domain, clientAddress }: StrangerTrial): string {
  return printable(clientAddress === '' ? domain : `${role}, ${domain}, from ${clientAddress}`);
}

function tableOf(tricks: readonly TriedTrick[]): string {
  const table = new Table(plainTable);
  for (const { name, from, to, verdict, reply } of tricks) {
    const said =
      reply === undefined ? 'no reply' : [reply.code, reply.status, ...reply.lines].filter(Boolean).join(' ');
    table.push([verdict, name, `${from} ${to}`, said].map((cell) => printable(String(cell))));
  }
  return table.toString();
}
