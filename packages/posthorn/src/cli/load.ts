import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { Exit, exitCodes } from './exit.ts';
import { printable, type Terminal } from './terminal.ts';
import { trialConfig } from './trial-config.ts';

/** The words of an option that names the configuration. */
export const configOption = ['-c, --config <file>', 'the configuration: .ts, .js, .json or .jsonc'] as const;

/**
 * Loads the configuration that an option names, or that of the trial server of this folder. Throws Exit with all mistakes,
 * and with the code.
 */
export async function loadOrExit(
  file: string | undefined,
  terminal: Terminal,
  code: number = exitCodes.failed,
): Promise<Config> {
  if (file === undefined) return trialConfig(terminal.folder);
  const { loadConfig } = await import('../config/load-config.ts');
  const { formatMistake } = await import('../config/mistake.ts');
  const path = resolve(terminal.folder, file);
  const checked = await loadConfig(path);
  if ('config' in checked) return checked.config;
  const isConfig = (mistake: { file?: string }) => resolve(terminal.folder, mistake.file ?? file) === path;
  const lines = checked.mistakes.map((mistake) =>
    printable(formatMistake(isConfig(mistake) ? { ...mistake, file } : mistake)),
  );
  const count = lines.length === 1 ? 'one mistake' : `${lines.length} mistakes`;
  throw new Exit(`${count} in the configuration:\n${lines.join('\n')}`, code);
}
