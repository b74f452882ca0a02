import { join } from 'node:path';
import type { Config, ConfigInput } from '../config/schema.ts';

/** Where the trial server listens unless it is said otherwise. */
export const trialAddress = { host: '127.0.0.1', port: 2525 };

/** The folder of a trial server's mailboxes. */
export function trialMailFolder(folder: string): string {
  return join(folder, '.posthorn', 'mail');
}

/** A server for trying out: it takes mail for any address from this machine, keeps it in a folder, and sends nothing on. */
export async function trialConfig(
  folder: string,
  address: { host: string; port: number } = trialAddress,
): Promise<Config> {
  const { checkConfig } = await import('../config/check-config.ts');
  const input: ConfigInput = {
    hostname: '[127.0.0.1]',
    dataDir: join(folder, '.posthorn'),
    listeners: [{ role: 'mx', ...address }],
    relayFrom: ['127.0.0.0/8', '::1'],
    routes: [{ domain: '*', to: `maildir:${trialMailFolder(folder)}/{domain}/{local}` }],
  };
  const checked = checkConfig(input);
  if ('config' in checked) return checked.config;
  throw new Error(`the trial configuration is faulty: ${JSON.stringify(checked.mistakes)}`);
}
