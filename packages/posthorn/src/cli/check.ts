import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import { Exit } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import type { Terminal } from './terminal.ts';

interface CheckOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `posthorn check`: names every mistake of a configuration. */
export function addCheck(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('name every mistake of a configuration, with its place')
    .requiredOption(...configOption)
    .option('--json', 'write the mistakes as JSON')
    .action((options: CheckOptions) => check(options, terminal));
}

async function check({ config, json }: CheckOptions, terminal: Terminal): Promise<void> {
  if (json) {
    const checked = await loadConfig(resolve(terminal.folder, config));
    const mistakes = 'mistakes' in checked ? checked.mistakes : [];
    terminal.out(`${JSON.stringify({ ok: mistakes.length === 0, mistakes }, undefined, 2)}\n`);
    if (mistakes.length > 0) throw new Exit('');
    return;
  }
  await loadOrExit(config, terminal);
  terminal.out(`${config} has no mistakes.\n`);
}
