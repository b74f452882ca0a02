import type { Command } from 'commander';
import { controlPath } from '../control/control-path.ts';
import { watchTerminal } from '../control/watch-terminal.ts';
import { configOption, loadOrExit } from './load.ts';
import { untilStopped } from './signals.ts';
import { printable, type Terminal } from './terminal.ts';

/** `posthorn terminal`: shows what comes for an address by SEND, SOML and SAML, as it comes. */
export function addTerminal(program: Command, terminal: Terminal): void {
  program
    .command('terminal')
    .description('show messages for an address as they come, by SEND, SOML or SAML to the running server')
    .argument('<address>', 'a mailbox of the server')
    .requiredOption(...configOption)
    .action((address: string, { config }: { config: string }) => watch(address, config, terminal));
}

async function watch(address: string, file: string, terminal: Terminal): Promise<void> {
  const { dataDir } = await loadOrExit(file, terminal);
  const stop = new AbortController();
  const watched = watchTerminal(controlPath(dataDir), {
    address,
    signal: stop.signal,
    onReady: () => terminal.say(`Messages for ${printable(address)} are shown here. Ctrl-C ends it.\n`),
    // What could steer the terminal is gone already; a server of another version is not trusted for that.
    onText: (text) => terminal.out(`${text.split(/\r?\n/).map(printable).join('\n')}\n`),
  });
  const stopped = untilStopped({
    stop: async () => {
      stop.abort();
      await watched;
    },
  });
  await Promise.race([watched, stopped]);
}
