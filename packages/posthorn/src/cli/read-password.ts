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
export function readPassword(
  { passwordFile, passwordEnv }: PasswordOptions,
  terminal: Terminal,
): Promise<string | undefined> {
  return readSecretOf({ file: passwordFile, env: passwordEnv, option: '--password' }, terminal);
}

/** Where a secret is: `option` is the beginning of the names of both options. */
interface SecretPlace {
  readonly file: string | undefined;
  readonly env: string | undefined;
  readonly option: string;
}

/** The secret that two options lead to; undefined when they name none. Throws Exit when it is not there. */
export async function readSecretOf(
  { file, env, option }: SecretPlace,
  terminal: Terminal,
): Promise<string | undefined> {
  if (file !== undefined) return (await readOrExit(file, `${option}-file`, terminal)).toString().split(/\r?\n/, 1)[0];
  if (env === undefined) return undefined;
  const secret = terminal.env[env];
  if (!secret) throw new Exit(`The environment has no ${env}. Set it, or correct ${option}-env.`);
  return secret;
}

/** A file that an option names. Throws Exit when it cannot be read. */
export async function readOrExit(file: string, option: string, terminal: Terminal): Promise<Buffer> {
  try {
    return await readFile(resolve(terminal.folder, file));
  } catch (error) {
    throw new Exit(`${option}: ${(error as Error).message}. Name a file that may be read.`);
  }
}
