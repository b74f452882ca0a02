import type { ConnectOptions } from '@posthorn/smtp/client/connect-client';
import { type Command, Option } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { type PasswordOptions, readOrExit, readPassword, readSecretOf } from './read-password.ts';
import type { Terminal } from './terminal.ts';

/** How the options of a command log in. */
export interface LoginOptions extends PasswordOptions {
  readonly user?: string;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** Adds the options that log in. */
export function addLogin(command: Command): Command {
  return command
    .option('--user <name>', 'log in, by the strongest way that the host knows; needs TLS with a good certificate')
    .addOption(
      new Option('--password-file <file>', 'the file whose first line is the password').conflicts('passwordEnv'),
    )
    .option('--password-env <name>', 'the environment variable that holds the password')
    .addOption(new Option('--token-file <file>', 'the file whose first line is an OAuth token').conflicts('tokenEnv'))
    .option('--token-env <name>', 'the environment variable that holds an OAuth token')
    .option('--cert <file>', 'log in by this certificate, a PEM file')
    .option('--key <file>', 'the key of the certificate, a PEM file');
}

/** What the options log in with, and the certificates that they name. Throws Exit when they do not go together. */
export async function readLogin(
  options: LoginOptions,
  terminal: Terminal,
): Promise<Pick<ConnectOptions, 'credentials' | 'tlsMaterial'>> {
  const { user, cert, key, ca } = options;
  const password = await readPassword(options, terminal);
  const place = { file: options.tokenFile, env: options.tokenEnv, option: '--token' };
  const token = await readSecretOf(place, terminal);
  if ((cert === undefined) !== (key === undefined)) throw new Exit('--cert goes with --key.', exitCodes.usage);
  const ways = [password, token, cert].filter((way) => way !== undefined).length;
  if (ways > 1) throw new Exit('Log in by a password, a token or a certificate.', exitCodes.usage);
  if (user !== undefined && ways === 0) {
    throw new Exit('--user goes with --password-file, --password-env, --token-file or --token-env.', exitCodes.usage);
  }
  if (password !== undefined && user === undefined) throw new Exit('A password needs --user.', exitCodes.usage);
  const credentials = credentialsOf({ user, password, token, cert });
  const material = {
    ...(ca === undefined ? {} : { ca: await readOrExit(ca, '--ca', terminal) }),
    ...(cert === undefined ? {} : { cert: await readOrExit(cert, '--cert', terminal) }),
    ...(key === undefined ? {} : { key: await readOrExit(key, '--key', terminal) }),
  };
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(Object.keys(material).length === 0 ? {} : { tlsMaterial: material }),
  };
}

interface Found {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly cert: string | undefined;
}

function credentialsOf({ user = '', password, token, cert }: Found): ConnectOptions['credentials'] {
  if (password !== undefined) return { user, password };
  if (token !== undefined) return { user, token };
  return cert === undefined ? undefined : { external: true, authorizeAs: user };
}
