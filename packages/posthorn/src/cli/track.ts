import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hostOfEnvid, parseUniqueEnvid } from '@posthorn/smtp/mtqp/unique-envid';
import {
  parseTrackingSecret,
  parseTrackingUri,
  type TrackedHop,
  type TrackMessageOptions,
  trackMessage,
} from '@posthorn/smtp/tracking';
import { dnsTrackers } from '@posthorn/smtp/tracking/find-trackers';
import { mtqpPort, type TrackerTls } from '@posthorn/smtp/tracking/open-tracker';
import { type Command, Option } from 'commander';
import { Exit, exitCodes } from './exit.ts';
import { configOption, loadOrExit } from './load.ts';
import { parseServer } from './server-address.ts';
import type { Terminal } from './terminal.ts';
import { formatTrack, jsonTrack } from './track-format.ts';

interface TrackOptions {
  readonly secret?: string;
  readonly secretEnv?: string;
  readonly server?: string;
  readonly tls?: TrackerTls;
  readonly ca?: string;
  readonly config?: string;
  readonly json?: boolean;
}

type Query = Pick<TrackMessageOptions, 'envelopeId' | 'secret' | 'server'>;

/** Milliseconds for the whole of it. */
const deadline = 10 * 60_000;

/** `posthorn track`: asks where a message is, and follows it from host to host. */
export function addTrack(program: Command, terminal: Terminal): void {
  program
    .command('track <message>')
    .description('tell where a message is that was sent with --track; exit code 1 when nobody knows it')
    .addOption(new Option('--secret <base64>', 'the secret of the message').conflicts('secretEnv'))
    .option('--secret-env <name>', 'the environment variable that holds the secret')
    .option('-s, --server <address>', 'the host to ask first; by default the one in the ENVID')
    .addOption(
      new Option('--tls <mode>', 'default: TLS where there is some').choices(['starttls', 'opportunistic', 'none']),
    )
    .option('--ca <file>', 'trust the certificates in this PEM file instead of those of the system')
    .option(configOption[0], 'ask the name servers of this configuration')
    .option('--json', 'write the result as JSON')
    .addHelpText('after', '\n<message> is its ENVID, or an mtqp: URI, which has the secret and the server in it.')
    .action((message: string, options: TrackOptions) => track(message, { options, terminal }));
}

interface Call {
  readonly options: TrackOptions;
  readonly terminal: Terminal;
}

async function track(message: string, call: Call): Promise<void> {
  const { options, terminal } = call;
  const query = readQuery(message, call);
  const config = options.config === undefined ? undefined : await loadOrExit(options.config, terminal);
  const hop = await trackMessage({
    ...query,
    findServers: dnsTrackers(config?.dns.servers),
    signal: AbortSignal.timeout(deadline),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.ca === undefined ? {} : { tlsMaterial: { ca: await readCa(options.ca, terminal) } }),
  });
  terminal.out(options.json ? `${JSON.stringify(jsonTrack(hop), undefined, 2)}\n` : formatTrack(hop));
  if (hop.reports.length === 0) throw new Exit('', isPassing(hop) ? exitCodes.temporary : exitCodes.failed);
}

function readQuery(message: string, { options, terminal }: Call): Query {
  const uri = /^mtqp:/i.test(message) ? parseTrackingUri(message) : undefined;
  if (uri === undefined && /^mtqp:/i.test(message)) {
    throw new Exit('The URI must be mtqp://host/track/envid/secret.', exitCodes.usage);
  }
  const envelopeId = uri?.envelopeId ?? parseUniqueEnvid(message);
  if (envelopeId === undefined) {
    throw new Exit('The message must be an ENVID, such as 17@mail.example.org, or an mtqp: URI.', exitCodes.usage);
  }
  const secret = readSecret(options, terminal) ?? uri?.secret;
  if (secret === undefined) throw new Exit('Give the secret by --secret or --secret-env.', exitCodes.usage);
  const server = readServer(options) ?? (uri && { host: uri.host, port: uri.port ?? mtqpPort });
  if (server === undefined && hostOfEnvid(envelopeId) === undefined) {
    throw new Exit('The ENVID names no host. Give --server.', exitCodes.usage);
  }
  return { envelopeId, secret, ...(server === undefined ? {} : { server }) };
}

function readSecret({ secret, secretEnv }: TrackOptions, { env }: Terminal): Buffer | undefined {
  const text = secret ?? (secretEnv === undefined ? undefined : (env[secretEnv] ?? ''));
  if (text === undefined) return undefined;
  const octets = parseTrackingSecret(text);
  if (octets === undefined) throw new Exit('The secret must be base64 of 16 to 128 octets.', exitCodes.usage);
  return octets;
}

function readServer({ server }: TrackOptions): Query['server'] {
  if (server === undefined) return undefined;
  const address = parseServer(server, mtqpPort);
  if (address !== undefined && 'host' in address) return address;
  throw new Exit('--server must be host, host:port or [IPv6]:port.', exitCodes.usage);
}

async function readCa(file: string, { folder }: Terminal): Promise<Buffer> {
  try {
    return await readFile(resolve(folder, file));
  } catch (error) {
    throw new Exit(`--ca: ${(error as Error).message}. Name a file that may be read.`);
  }
}

/** A host that cannot be reached today may answer tomorrow; one that knows nothing will not. */
function isPassing({ reply, failure }: TrackedHop): boolean {
  return reply === undefined ? failure?.kind !== 'tls' : reply.indicator === 'TEMP';
}
