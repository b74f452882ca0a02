import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { formatMistake } from '../config/mistake.ts';
import type { Config } from '../config/schema.ts';
import { controlPath } from '../control/control-path.ts';
import { type ControlServer, startControl } from '../control/control-server.ts';
import type { ReloadResult } from '../control/control-status.ts';
import { createFetchJobs } from '../control/fetch-jobs.ts';
import type { RunningAgent } from '../mta/running-agent.ts';
import { Exit, exitCodes } from './exit.ts';
import { submissionSocketOf } from './find-socket.ts';
import { configOption, loadOrExit } from './load.ts';
import { type LogFormat, type OpenLog, openLog } from './open-log.ts';
import { parseServer } from './server-address.ts';
import { untilStopped } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { trialAddress, trialConfig, trialMailFolder } from './trial-config.ts';

interface ServeOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly log?: string;
}

/** `posthorn serve`: runs the server until it is told to stop. */
export function addServe(program: Command, terminal: Terminal): void {
  program
    .command('serve')
    .description('run the server; without a configuration one for trying out, on this machine alone')
    .option(...configOption)
    .option(
      '--listen <address>',
      `without a configuration: host:port instead of ${trialAddress.host}:${trialAddress.port}`,
    )
    .option('--log <format>', 'text or json; default: text to a terminal, else json')
    .action((options: ServeOptions) => serve(options, terminal));
}

async function serve({ config: file, listen, log: format }: ServeOptions, terminal: Terminal): Promise<void> {
  const config = await (file === undefined ? trialOf(listen, terminal) : loadOrExit(file, terminal));
  if (file !== undefined && listen !== undefined) {
    throw new Exit('--listen is for the server without a configuration. Take one of the two.', exitCodes.usage);
  }
  const log = openLog(readFormat(format, terminal));
  const agent = await startOrExit(config, log);
  const path = file === undefined ? undefined : resolve(terminal.folder, file);
  const reload = () => reloadFrom(path, agent);
  const control = await controlOrExit(config, { agent, reload });
  terminal.out(file === undefined ? trialText(agent, terminal) : `Listening on ${listenersOf(agent).join(', ')}.\n`);
  await untilStopped({
    // Without a configuration there is nothing to reload, and the end of a terminal ends the server.
    ...(path === undefined ? {} : { hangUp: () => void reload().then((result) => tellReload(log, result)) }),
    stop: async () => {
      await control.close();
      await agent.close();
    },
  });
  log.close();
}

async function trialOf(listen: string | undefined, { folder }: Terminal): Promise<Config> {
  const address = listen === undefined ? trialAddress : parseServer(listen, trialAddress.port);
  if (address === undefined || !('host' in address)) throw new Exit('--listen must be host:port.', exitCodes.usage);
  return trialConfig(folder, address);
}

function readFormat(format: string | undefined, { interactive }: Terminal): LogFormat {
  if (format === undefined) return interactive ? 'text' : 'json';
  if (format === 'text' || format === 'json') return format;
  throw new Exit('--log must be text or json.', exitCodes.usage);
}

async function startOrExit(config: Config, log: OpenLog): Promise<RunningAgent> {
  const { startAgent } = await import('../mta/start-agent.ts');
  try {
    return await startAgent({ config, log, submissionSocket: submissionSocketOf(config) });
  } catch (error) {
    throw listenFailure(error) ?? error;
  }
}

/** Why a listener cannot be, in words. */
function listenFailure(error: unknown): Exit | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const place = port === undefined ? address : `${address}:${port}`;
  if (code === 'EADDRINUSE') return new Exit(`${place} is in use. Stop what listens there, or listen elsewhere.`);
  if (code === 'EACCES') return new Exit(`${place} may not be listened on. Ports below 1024 need a privilege.`);
  if (code === 'EADDRNOTAVAIL')
    return new Exit(`${place} is no address of this machine. Correct the host of the listener.`);
  return undefined;
}

async function controlOrExit(
  config: Config,
  { agent, reload }: { agent: RunningAgent; reload: () => Promise<ReloadResult> },
): Promise<ControlServer> {
  const startedAt = Date.now();
  const { controlOf } = await import('./control-of.ts');
  try {
    return await startControl(controlPath(config.dataDir), {
      queue: controlOf(config, { store: agent.store, wake: () => agent.wake() }),
      reload,
      fetch: createFetchJobs(agent.fetch),
      ...(agent.terminals === undefined ? {} : { terminals: agent.terminals }),
      status: () => ({
        pid: process.pid,
        startedAt,
        listeners: listenersOf(agent),
        messages: agent.store.count(),
        inHand: agent.inHand(),
        sessions: agent.sessions(),
      }),
    });
  } catch (error) {
    await agent.close({ grace: 0 });
    throw error;
  }
}

async function reloadFrom(file: string | undefined, agent: RunningAgent): Promise<ReloadResult> {
  if (file === undefined) return { kind: 'refused', mistakes: ['The server runs without a configuration.'] };
  const { loadConfig } = await import('../config/load-config.ts');
  const checked = await loadConfig(file);
  if ('mistakes' in checked) return { kind: 'refused', mistakes: checked.mistakes.map(formatMistake) };
  return { kind: 'reloaded', ...agent.reload(checked.config) };
}

function tellReload(log: OpenLog, result: ReloadResult): void {
  if (result.kind === 'reloaded') log.info({ needsRestart: result.needsRestart }, 'reloaded');
  else log.error({ mistakes: result.mistakes }, 'the configuration is not taken over');
}

function listenersOf(agent: RunningAgent): string[] {
  return agent.listeners.map((listener) => `${listener.role} ${placeOf(listener)}`);
}

function placeOf(listener: RunningAgent['listeners'][number]): string {
  if ('path' in listener) return listener.path;
  const { host, port } = listener;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function trialText(agent: RunningAgent, { folder }: Terminal): string {
  const [listener] = agent.listeners;
  const place = listener === undefined ? '' : placeOf(listener);
  const mail = relative(folder, trialMailFolder(folder));
  return `Posthorn listens on ${place}. It takes mail for any address and keeps it here; nothing leaves this machine.

Send something:
  npx posthorn send --server ${place} --from a@x.test --to b@y.test --subject Hello --text 'It works'

Read it:
  cat ${mail}/y.test/b/new/*

Each address has a Maildir: ${mail}/<domain>/<name>/. Ctrl-C stops the server.
`;
}
