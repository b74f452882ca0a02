import { type Command, Option } from 'commander';
import type { Config } from '../config/schema.ts';
import type { FetchRequest, FetchResult } from '../mta/fetch-mail.ts';
import { Exit, exitCodes } from './exit.ts';
import { fetchOnce } from './fetch-once.ts';
import { configOption, loadOrExit } from './load.ts';
import { readPassword } from './read-password.ts';
import { readSecret } from './read-secret.ts';
import { parseServer } from './server-address.ts';
import { printable, type Terminal } from './terminal.ts';

interface FetchOptions {
  readonly config?: string;
  readonly server?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly domains?: readonly string[];
  readonly etrn?: readonly string[];
  readonly turn?: boolean;
  readonly tls?: FetchRequest['tls'];
  readonly json?: boolean;
}

/** One host to ask, and what it is called. */
interface Errand {
  readonly name: string;
  readonly request: FetchRequest;
}

/** `posthorn fetch`: fetches mail that other hosts keep, into the queue of this one (RFC 2645 §4, RFC 1985 §3). */
export function addFetch(program: Command, terminal: Terminal): void {
  program
    .command('fetch')
    .description(
      'fetch mail that another host keeps for this one; exit code 1 when it refuses, 75 when trying later may help',
    )
    .argument('[name...]', 'entries of fetch in the configuration; without --server all of them by default')
    .option(...configOption)
    .option('-s, --server <address>', 'host, host:port or [IPv6]:port; port 366 by default, 25 for --etrn and --turn')
    .option('--user <name>', 'log in; the password is asked for unless an option says where it is')
    .addOption(
      new Option('--password-file <file>', 'the file whose first line is the password').conflicts('passwordEnv'),
    )
    .option('--password-env <name>', 'the environment variable that holds the password')
    .option('--domains <domain...>', 'the domains to fetch mail for; default: all of the login')
    .addOption(
      new Option('--etrn <node...>', 'have mail for these nodes sent instead: a domain, @domain or #queue').conflicts([
        'turn',
        'domains',
      ]),
    )
    .addOption(new Option('--turn', 'fetch in the old way, by TURN').conflicts('domains'))
    .addOption(
      new Option('--tls <mode>', 'default: starttls with a login, else opportunistic').choices([
        'implicit',
        'starttls',
        'opportunistic',
        'none',
      ]),
    )
    .option('--json', 'write the results as JSON')
    .action((names: string[], options: FetchOptions) => fetch(names, options, terminal));
}

async function fetch(names: readonly string[], options: FetchOptions, terminal: Terminal): Promise<void> {
  const config = await loadOrExit(options.config, terminal);
  const errands =
    options.server === undefined ? await configured(names, config) : [await given(names, options, terminal)];
  const results: FetchResult[] = [];
  for (const { name, request } of errands) {
    const result = await fetchOnce(request, { config, terminal });
    results.push(result);
    if (options.json) terminal.out(`${JSON.stringify({ name, ...result })}\n`);
    else terminal.out(describe(name, request, result));
  }
  if (results.some(({ kind }) => kind === 'refused')) throw new Exit('', exitCodes.failed);
  if (results.some(({ kind }) => kind === 'failed')) throw new Exit('', exitCodes.temporary);
}

/** The entries of the configuration that are named, or all. */
async function configured(names: readonly string[], { fetch: sources }: Config): Promise<Errand[]> {
  const { requestOf } = await import('../mta/fetching.ts');
  const unknown = names.find((name) => !sources.some((source) => source.name === name));
  if (unknown !== undefined) throw new Exit(`The configuration has no ${unknown} in fetch.`, exitCodes.usage);
  if (sources.length === 0) {
    throw new Exit('There is nothing to fetch. Give --server, or --config with entries in fetch.', exitCodes.usage);
  }
  return sources
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((source) => ({ name: source.name, request: requestOf(source) }));
}

async function given(names: readonly string[], options: FetchOptions, terminal: Terminal): Promise<Errand> {
  const { defaultFetchPort, defaultFetchTls } = await import('../mta/fetching.ts');
  if (names.length > 0) throw new Exit('Give either names or --server.', exitCodes.usage);
  const { server = '', user, etrn, turn, tls = defaultFetchTls(user) } = options;
  const by = etrn !== undefined ? 'etrn' : turn === true ? 'turn' : 'atrn';
  const target = parseServer(server, defaultFetchPort(by));
  if (target === undefined || 'path' in target) {
    throw new Exit('--server must be host, host:port or [IPv6]:port.', exitCodes.usage);
  }
  if (user === undefined && by !== 'etrn')
    throw new Exit('Mail is given to logins alone. Add --user.', exitCodes.usage);
  const domains = (etrn ?? options.domains ?? []).flatMap((text) => text.split(',')).filter((text) => text !== '');
  const password = user === undefined ? undefined : await passwordOf(options, terminal);
  const request = { by, ...target, tls, domains } as const;
  if (user === undefined || password === undefined) return { name: server, request };
  return { name: server, request: { ...request, user, password } };
}

async function passwordOf(options: FetchOptions, terminal: Terminal): Promise<string> {
  const found = await readPassword(options, terminal);
  if (found !== undefined) return found;
  if (terminal.stdin.isTTY === true) return readSecret(`Password of ${options.user}: `, terminal);
  throw new Exit('--user goes with --password-file or --password-env.', exitCodes.usage);
}

function describe(name: string, { by }: FetchRequest, { kind, messages, octets, said }: FetchResult): string {
  const from = printable(name);
  const words = said.map((line) => `  ${printable(line)}\n`).join('');
  if (kind === 'refused') return `${from} gives no mail:\n${words}`;
  if (kind === 'failed') return `${from} gives no mail now:\n${words}`;
  if (by === 'etrn') return `${from} was asked:\n${words}`;
  if (kind === 'empty') return `${from} has no mail.\n`;
  return `${messages} ${messages === 1 ? 'message' : 'messages'} from ${from}, ${octets} octets.\n`;
}
