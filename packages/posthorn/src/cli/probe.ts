import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConnectionFailure } from '@posthorn/smtp/client/send-result';
import { type HostSurvey, surveyHost } from '@posthorn/smtp/client/survey-host';
import type { Command } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { formatSurvey } from './probe-format.ts';
import { parseServer } from './server-address.ts';
import type { Terminal } from './terminal.ts';

interface ProbeOptions {
  readonly domain?: string;
  readonly name?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

/** Milliseconds for each reply: the host is looked at by a person who waits. */
const patience = 30_000;
const timeouts = { connect: patience, greeting: patience, hello: patience, tls: patience, command: patience };

/** `posthorn probe`: looks at a host, and sends it nothing (RFC 876). */
export function addProbe(program: Command, terminal: Terminal): void {
  program
    .command('probe')
    .description('show what a host offers, how it is secured and how it answers; no mail is sent')
    .argument('<host>', 'host, host:port or [IPv6]:port; port 25 by default')
    .option('--domain <domain>', 'a domain that the host takes mail for; default: the host itself')
    .option('--name <name>', 'the name to greet with; default: the address of this machine')
    .option('--ca <file>', 'trust the certificates in this PEM file instead of those of the system')
    .option('--json', 'write what was found as JSON')
    .action((host: string, options: ProbeOptions) => probe(host, options, terminal));
}

async function probe(address: string, options: ProbeOptions, terminal: Terminal): Promise<void> {
  const target = parseServer(address, 25);
  if (target === undefined || !('host' in target)) {
    throw new Exit('The host must be host, host:port or [IPv6]:port.', exitCodes.usage);
  }
  const { domain = asDomain(target.host), name, ca } = options;
  const survey = await surveyOrExit({
    ...target,
    domain,
    timeouts,
    nobody: `nobody-${randomBytes(6).toString('hex')}`,
    ...(name === undefined ? {} : { name }),
    ...(ca === undefined ? {} : { tlsMaterial: { ca: await readFile(resolve(terminal.folder, ca)) } }),
  });
  terminal.out(options.json ? `${JSON.stringify({ ...target, domain, ...survey }, null, 2)}\n` : formatSurvey(survey));
}

function asDomain(host: string): string {
  if (host.includes(':')) return `[IPv6:${host}]`;
  return /^[\d.]+$/.test(host) ? `[${host}]` : host;
}

async function surveyOrExit(options: Parameters<typeof surveyHost>[0]): Promise<HostSurvey> {
  try {
    return await surveyHost(options);
  } catch (error) {
    if (error instanceof ConnectionFailure) throw new Exit(`${error.message}.`, exitCodes.failed);
    throw error;
  }
}
