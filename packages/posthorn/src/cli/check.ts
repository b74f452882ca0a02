import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import type { Terminal } from './terminal.ts';

interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly openRelay?: boolean;
  readonly server?: string;
  readonly domain?: string;
  readonly to?: string;
}

/** `posthorn check`: names every mistake of a configuration. */
export function addCheck(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('name every mistake of a configuration, with its place')
    .option(...configOption)
    .option('--open-relay', 'try the known tricks to send mail through it as a stranger; no mail is sent')
    .option('--server <host:port>', 'try this running server, from here, instead of the configuration')
    .option('--domain <domain>', 'a domain that the server takes mail for; default: the server itself')
    .option('--to <address>', 'an address that the server has nothing to do with; default: nobody@example.net')
    .option('--json', 'write what was found as JSON')
    .action((options: CheckOptions) => check(options, terminal));
}

async function check(options: CheckOptions, terminal: Terminal): Promise<void> {
  const { config, json, openRelay, server } = options;
  if (openRelay && server !== undefined) {
    const { checkServer } = await import('./open-relay.ts');
    await checkServer({ ...options, server }, terminal);
    return;
  }
  if (config === undefined) throw new Exit("required option '-c, --config <file>' not specified", exitCodes.usage);
  if (openRelay) {
    const { checkStrangers } = await import('./open-relay.ts');
    await checkStrangers(await loadOrExit(config, terminal), options, terminal);
    return;
  }
  if (json) {
    const { loadConfig } = await import('../config/load-config.ts');
    const checked = await loadConfig(resolve(terminal.folder, config));
    const mistakes = 'mistakes' in checked ? checked.mistakes : [];
    terminal.out(`${JSON.stringify({ ok: mistakes.length === 0, mistakes }, undefined, 2)}\n`);
    if (mistakes.length > 0) throw new Exit('');
    return;
  }
  await loadOrExit(config, terminal);
  terminal.out(`${config} has no mistakes.\n`);
}
