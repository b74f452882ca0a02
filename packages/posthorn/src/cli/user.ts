import { resolve } from 'node:path';
import { ntHash } from '@posthorn/smtp/sasl/ntlm';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { hashForScram } from '../config/hash-for-scram.ts';
import { hashPassword } from '../config/password.ts';
import { type FileUser, formatUserLine, parseUserFile, type UserLine, withUserLine } from '../config/user-file.ts';
import { changeUserFile, readUserFile } from './change-user-file.ts';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import { plainTable } from './plain-table.ts';
import { readLine, readSecret } from './read-secret.ts';
import type { Terminal } from './terminal.ts';

interface FileOptions {
  readonly config?: string;
  readonly file?: string;
}

interface UserOptions extends FileOptions {
  readonly address?: string[];
  readonly certificate?: string[];
  readonly nt?: true;
  readonly password?: boolean;
}

/** `posthorn user`: makes what stands for passwords, and keeps files of users. */
export function addUser(program: Command, terminal: Terminal): void {
  const user = program.command('user').description('work with users');
  user
    .command('hash')
    .description('read a password from standard input and print what the configuration holds instead of it')
    .option('--nt', 'the hash for NTLM, too; it is as good as the password')
    .action(async ({ nt }: UserOptions) => {
      const { password, scramKeys, ntHash: hash } = await hashAll(await readNewPassword(terminal), nt);
      terminal.out([password, ...scramKeys, ...(hash === undefined ? [] : [hash])].map((line) => `${line}\n`).join(''));
    });
  withFile(user.command('add <login>').description('add a user to a file of users; the password from standard input'))
    .option('--address <address>', 'an address that the user may send as; any without one', append)
    .option('--certificate <fingerprint>', 'the SHA-256 fingerprint of a certificate that lets the user in', append)
    .option('--nt', 'keep the hash for NTLM, too')
    .option('--no-password', 'without a password: the certificate alone lets the user in')
    .action((login: string, options: UserOptions) => add(login, options, terminal));
  withFile(user.command('passwd <login>').description('give a user of a file another password'))
    .option('--nt', 'keep the hash for NTLM, too')
    .action((login: string, options: UserOptions) => changePassword(login, options, terminal));
  withFile(user.command('remove <login>').description('take a user out of a file of users')).action(
    (login: string, options: UserOptions) => remove(login, options, terminal),
  );
  withFile(user.command('list').description('list the users of a file, and how they may log in'))
    .option('--json', 'write them as JSON')
    .action((options: FileOptions & { json?: true }) => list(options, terminal));
}

function withFile(command: Command): Command {
  return command.option(...configOption).option('--file <file>', 'the file of users; default: the first of userFiles');
}

function append(value: string, all: string[] = []): string[] {
  return [...all, value];
}

async function fileOf({ config, file }: FileOptions, terminal: Terminal): Promise<string> {
  if (file !== undefined) return resolve(terminal.folder, file);
  if (config === undefined) throw new Exit('Name a file of users by --file, or a configuration.', exitCodes.usage);
  const [first] = (await loadOrExit(config, terminal)).userFiles;
  if (first === undefined) throw new Exit('The configuration names no userFiles. Add one, or use --file.');
  return first;
}

/** All that is kept of a password. */
async function hashAll(password: string, nt: boolean | undefined): Promise<Secrets> {
  const keys = hashForScram(password);
  const hash = nt === true ? { ntHash: ntHash(password).toString('hex') } : {};
  return { password: await hashPassword(password), scramKeys: keys === undefined ? [] : [keys], ...hash };
}

type Secrets = Pick<UserLine, 'password' | 'scramKeys' | 'ntHash'>;

async function add(login: string, options: UserOptions, terminal: Terminal): Promise<void> {
  const { address = [], certificate = [], nt, password } = options;
  const path = await fileOf(options, terminal);
  if (password === false && certificate.length === 0) {
    throw new Exit('Without a password a user needs a --certificate.', exitCodes.usage);
  }
  if (find(await readUserFile(path), login) !== undefined) throw new Exit(`${login} is there. Use passwd or remove.`);
  const secrets = password === false ? { scramKeys: [] } : await hashAll(await readNewPassword(terminal), nt);
  const certificates = certificate.map((text) => text.replaceAll(':', '').toLowerCase());
  const line = formatUserLine({ name: login, ...secrets, certificates, addresses: address });
  checkLine(login, line);
  await changeUserFile(path, (text) => withUserLine(text, login, line));
  terminal.say(`Added ${login} to ${path}.\n`);
}

/** What would make another line of it, or another user, is refused before anything is written. */
function checkLine(login: string, line: string): void {
  const { users, mistakes } = parseUserFile(line);
  const [mistake] = mistakes;
  if (mistake !== undefined) throw new Exit(`The line of the user ${mistake.message}. Correct the arguments.`);
  if (users.length !== 1 || users[0]?.name !== login) throw new Exit('A login is a name without blanks and "#".');
}

async function changePassword(login: string, options: UserOptions, terminal: Terminal): Promise<void> {
  const path = await fileOf(options, terminal);
  findOrExit(await readUserFile(path), login);
  const secrets = await hashAll(await readNewPassword(terminal), options.nt);
  await changeUserFile(path, (text) => {
    const { user } = findOrExit(text, login);
    const { certificates, addresses } = user;
    return withUserLine(text, login, formatUserLine({ name: login, ...secrets, certificates, addresses }));
  });
  terminal.say(`${login} has another password.\n`);
}

async function remove(login: string, options: UserOptions, terminal: Terminal): Promise<void> {
  const path = await fileOf(options, terminal);
  await changeUserFile(path, (text) => {
    findOrExit(text, login);
    return withUserLine(text, login, undefined);
  });
  terminal.say(`${login} is no user any more.\n`);
}

function find(text: string, login: string): FileUser | undefined {
  return parseUserFile(text).users.find(({ name }) => name === login);
}

function findOrExit(text: string, login: string): FileUser {
  const found = find(text, login);
  if (found === undefined) throw new Exit(`There is no ${login} in the file.`);
  return found;
}

async function list(options: FileOptions & { json?: true }, terminal: Terminal): Promise<void> {
  const { users } = parseUserFile(await readUserFile(await fileOf(options, terminal)));
  const rows = users.map(({ name, user }) => ({ login: name, ways: waysOf(user), addresses: user.addresses }));
  if (options.json === true) terminal.out(`${JSON.stringify(rows, undefined, 2)}\n`);
  else {
    const cells = rows.map(({ login, ways, addresses }) => [login, ways.join(', '), addresses.join(', ') || 'any']);
    const table = new Table({ head: ['LOGIN', 'LOGS IN BY', 'SENDS AS'], ...plainTable });
    table.push(...cells);
    terminal.out(`${table.toString()}\n`);
  }
}

function waysOf({ password, scramKeys, certificates, ntHash: hash }: FileUser['user']): string[] {
  return [
    ...(password === undefined ? [] : ['password']),
    ...(scramKeys.length > 0 ? ['SCRAM'] : []),
    ...(certificates.length > 0 ? ['certificate'] : []),
    ...(hash === undefined ? [] : ['NTLM']),
  ];
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
