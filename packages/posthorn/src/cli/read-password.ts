import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Exit } from './exit.ts';
import type { Terminal } from './terminal.ts';

/** Where the options of a command say that a password is. */
export interface PasswordOptions {
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
}

/** The password that the options lead to; undefined when they name none. Throws Exit when it is not there. */
export async function readPassword(
  { passwordFile, passwordEnv }: PasswordOptions,
  terminal: Terminal,
): Promise<string | undefined> {
  if (passwordFile !== undefined) {
    return (await readOrExit(passwordFile, '--password-file', terminal)).toString().split(/\r?\n/, 1)[0];
  }
  if (passwordEnv === undefined) return undefined;
  const password = terminal.env[passwordEnv];
  if (!password) throw new Exit(`The environment has no ${passwordEnv}. Set it, or correct --password-env.`);
  return password;
}

/** A file that an option names. Throws Exit when it cannot be read. */
export async function readOrExit(file: string, option: string, terminal: Terminal): Promise<Buffer> {
  try {
    return await readFile(resolve(terminal.folder, file));
  } catch (error) {
    throw new Exit(`${option}: ${(error as Error).message}. Name a file that may be read.`);
  }
}
