import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { networkMatcher, parseNetwork } from '@posthorn/smtp/address/network';
import { type TriedTrick, tryRelaying } from '@posthorn/smtp/client/try-relaying';
import type { Config } from '../config/schema.ts';
import type { LogSink } from './log.ts';
import { startAgent } from './start-agent.ts';

/** What came of the tricks of a stranger at one listener, with one domain. */
export interface StrangerTrial {
  readonly role: string;
  readonly domain: string;
  readonly clientAddress: string;
  readonly tricks: readonly TriedTrick[];
}

/** Addresses that are nobody's, for a stranger; the first of each family that is in none of the configured networks. */
const strangers = [
  ['203.0.113.77', '198.51.100.77', '192.0.2.77', '192.88.99.77'],
  ['2001:db8:77::77', '3fff:77::77', '2002:cb00:714d::77'],
] as const;

const foreignDomain = 'relay-trial.example';
const foreign = `victim@${foreignDomain}`;
const mostDomains = 8;
/** What is refused for who asks must not hide what would be taken from somebody else. */
const noFilters: Config['filters'] = {
  exempt: [],
  rates: { connections: 1e6, messages: 1e6, recipients: 1e6 },
  dnsbl: [],
  score: {},
};
const silent: LogSink = { info() {}, warn() {}, error() {} };
const loopback = parseNetwork('127.0.0.0/8');

/**
 * Starts the agent of a configuration on loopback ports, in a folder of its own and without its filters and sources, and
 * tries at each listener to send mail as a stranger would; nothing is sent. Rejects as the start of the agent does.
 */
export async function tryAsStranger(config: Config): Promise<StrangerTrial[]> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-trial-'));
  try {
    const agent = await startAgent({ config: trialOf(config, folder), log: silent });
    try {
      const trials: StrangerTrial[] = [];
      for (const clientAddress of strangersTo(config))
        for (const listener of agent.listeners)
          for (const domain of domainsToTry(config))
            if ('port' in listener) trials.push(await tryOne({ ...listener, domain, clientAddress }));
      return trials;
    } finally {
      await agent.close({ grace: 0 });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Everyone connects through a proxy, which names the stranger. A route for the victim spares the question to DNS. */
function trialOf(config: Config, folder: string): Config {
  const roles = new Set(config.listeners.map(({ role }) => role));
  const listeners = [...roles].flatMap((role): Config['listeners'] => {
    if (role === 'mtqp' || role === 'none') return [];
    const common = { host: '127.0.0.1', port: 0, requireTls: false, proxyProtocol: loopback ? [loopback] : [] };
    // Without TLS from the first octet its rules are the same.
    return [role === 'lmtp' ? { role, ...common } : { role: role === 'submissions' ? 'submission' : role, ...common }];
  });
  return {
    ...config,
    dataDir: folder,
    listeners,
    fetch: [],
    filters: noFilters,
    contentFilters: [],
    routes: [{ domain: foreignDomain, to: 'error:5.7.1 only a trial' }, ...config.routes],
  };
}

function strangersTo({ relayFrom }: Config): string[] {
  const isKnown = networkMatcher(relayFrom);
  // Where all are known, everyone is.
  return strangers.map((some) => some.find((address) => !isKnown(address)) ?? some[0]);
}

/** Domains that differ in who takes their mail; the host itself among them. */
function domainsToTry({ hostname, domains }: Config): string[] {
  const kinds = new Map<string, string>();
  for (const [name, { relay, mailboxes, gateway }] of Object.entries(domains)) {
    const kind = JSON.stringify([relay, mailboxes === '*', gateway !== undefined]);
    if (!kinds.has(kind)) kinds.set(kind, name);
  }
  return [...new Set([...kinds.values(), hostname])].slice(0, mostDomains);
}

interface Trial {
  readonly role: string;
  readonly port: number;
  readonly domain: string;
  readonly clientAddress: string;
}

async function tryOne({ role, port, domain, clientAddress }: Trial): Promise<StrangerTrial> {
  const family = clientAddress.includes(':') ? 'TCP6' : 'TCP4';
  const socketFactory = () => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.write(`PROXY ${family} ${clientAddress} ${family === 'TCP6' ? '::1' : '127.0.0.1'} 40000 ${port}\r\n`);
    return socket;
  };
  const tricks = await tryRelaying({
    own: domain,
    address: '127.0.0.1',
    foreign,
    nobody: `nobody-${randomBytes(6).toString('hex')}`,
    name: foreignDomain,
    socketFactory,
    protocol: role === 'lmtp' ? 'lmtp' : 'smtp',
  });
  return { role, domain, clientAddress, tricks };
}
