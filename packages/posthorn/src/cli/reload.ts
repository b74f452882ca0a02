import type { Command } from 'commander';
import { createControlClient } from '../control/control-client.ts';
import { controlPath } from '../control/control-path.ts';
import { Exit } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import type { Terminal } from './terminal.ts';

/** `posthorn reload`: lets the running server read its configuration anew. */
export function addReload(program: Command, terminal: Terminal): void {
  program
    .command('reload')
    .description('let the running server read its configuration anew; sessions go on')
    .requiredOption(...configOption)
    .action(async ({ config: file }: { config: string }) => {
      const config = await loadOrExit(file, terminal);
      const result = await createControlClient(controlPath(config.dataDir)).reload();
      if (result.kind === 'refused') throw new Exit(['The server refuses it:', ...result.mistakes].join('\n'));
      const rest = result.needsRestart.join(', ');
      terminal.out(rest === '' ? 'Reloaded.\n' : `Reloaded. A restart is needed for: ${rest}.\n`);
    });
}
