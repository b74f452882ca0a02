import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import { submissionPath } from '../control/submission-path.ts';
import { loadOrExit } from './load.ts';
import { sysexits } from './sysexits.ts';
import type { Terminal } from './terminal.ts';

/** Where every user of this host finds the server, unless something else is said. */
const usualSocket = '/run/posthorn/submission';

/** The socket where a server takes mail from users of this host. */
export function submissionSocketOf({ submission, dataDir }: Config): string {
  return submission.socket ?? submissionPath(dataDir);
}

/** The configuration that is meant: the one that is named, that of the environment, or that of the trial server of this folder. */
export function meantConfig(file: string | undefined, terminal: Terminal): Promise<Config> {
  return loadOrExit(file ?? terminal.env.POSTHORN_CONFIG, terminal, sysexits.configuration);
}

/** Finds the socket of the server of this host: by a configuration, the environment, or where it usually is. */
export async function findSocket(file: string | undefined, terminal: Terminal): Promise<string> {
  const { POSTHORN_SOCKET: socket, POSTHORN_CONFIG: config } = terminal.env;
  if (file === undefined && socket) return socket;
  if (file === undefined && !config && existsSync(usualSocket)) return usualSocket;
  return submissionSocketOf(await meantConfig(file, terminal));
}
