import type { Command } from 'commander';
import { hashPassword } from '../config/password.ts';
import { Exit } from './exit.ts';
import { readLine, readSecret } from './read-secret.ts';
import type { Terminal } from './terminal.ts';

/** `posthorn user hash`: makes the text that stands for a password in the configuration. */
export function addUser(program: Command, terminal: Terminal): void {
  program
    .command('user')
    .description('work with users')
    .command('hash')
    .description('read a password from standard input and print what the configuration holds instead of it')
    .action(async () => terminal.out(`${await hashPassword(await readNewPassword(terminal))}\n`));
}

/** A person types it twice, a program once. */
async function readNewPassword(terminal: Terminal): Promise<string> {
  if (terminal.stdin.isTTY !== true) return orExit(await readLine(terminal.stdin));
  const password = orExit(await readSecret('Password: ', terminal));
  if ((await readSecret('Once more: ', terminal)) !== password) throw new Exit('The two are not the same. Try again.');
  return password;
}

function orExit(password: string): string {
  if (password === '') throw new Exit('The password is empty. Type it, or pipe it into standard input.');
  return password;
}
