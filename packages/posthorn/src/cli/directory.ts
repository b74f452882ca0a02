import type { Command } from 'commander';
import type { AddressTrace } from '../mta/trace-address.ts';
import { formatTrace } from './directory-format.ts';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import type { Terminal } from './terminal.ts';

interface DirectoryOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `posthorn directory`: says who addresses are, and which way their mail would go. */
export function addDirectory(program: Command, terminal: Terminal): void {
  program
    .command('directory <address...>')
    .description('say who addresses are, whom they stand for, and where their mail would go')
    .option(...configOption)
    .option('--json', 'write one line of JSON for each address')
    .action((addresses: string[], options: DirectoryOptions) => trace(addresses, options, terminal));
}

async function trace(addresses: readonly string[], options: DirectoryOptions, terminal: Terminal): Promise<void> {
  const config = await loadOrExit(options.config, terminal);
  const { createTracer } = await import('../mta/create-tracer.ts');
  const { resultOf } = await import('../mta/trace-address.ts');
  const tracer = createTracer(config);
  const results = new Set<ReturnType<typeof resultOf>>();
  for (const address of addresses) {
    const found: AddressTrace = await tracer(address);
    const result = resultOf(found);
    results.add(result);
    terminal.out(options.json ? `${JSON.stringify({ ...found, result })}\n` : formatTrace(found));
  }
  if (results.has('failed')) throw new Exit('');
  if (results.has('deferred')) throw new Exit('', exitCodes.temporary);
}
