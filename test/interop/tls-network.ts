import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:https';
import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type ServerOptions, type Transaction } from '@posthorn/smtp/server';
import { expect } from 'vitest';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import type { FixtureZone } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { startKnot } from '../../packages/posthorn/test/dns/knot.ts';
import { startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { network } from './loopback.ts';
import type { Parts } from './network.ts';
import { startUnbound } from './peers/unbound.ts';

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A mail host on port 25 that takes everything, and remembers how it came. */
export interface TakingHost extends AsyncDisposable {
  readonly taken: { readonly to: string; readonly tls: string | undefined; readonly serverName: string | undefined }[];
}

/** Starts one; without files it knows no STARTTLS. */
export async function startTakingHost(
  host: string,
  files?: CertificateFiles,
  options: Partial<ServerOptions> = {},
): Promise<TakingHost> {
  const taken: TakingHost['taken'] = [];
  const nameOf = ({ recipients }: Transaction) => recipients.map(({ mailbox }) => mailbox.domain).join(' ');
  const server = createServer({
    hostname: 'taking.example',
    ...(files === undefined ? {} : { tls: { cert: readFileSync(files.cert), key: readFileSync(files.key) } }),
    handlers: {
      async message(session, transaction, text) {
        for await (const _ of text);
        taken.push({
          to: nameOf(transaction),
          tls: session.tls?.protocol,
          serverName: session.tls?.serverName,
        });
        return reply(250, '2.0.0', 'taken');
      },
    },
    ...options,
  });
  await server.listen({ role: 'mx', host, port: 25 });
  return { taken, [Symbol.asyncDispose]: () => server.close({ grace: 0 }) };
}

/** A web server that gives each host its text, by the name that it is asked for. */
export interface PolicyHost extends AsyncDisposable {
  /** What was asked for, host by host. */
  readonly asked: string[];
  /** By host: what it says, or how it fails. */
  readonly texts: Map<string, { readonly text: string; readonly status?: number; readonly type?: string }>;
}

/** Starts one on port 443. */
export async function startPolicyHost(host: string, files: CertificateFiles): Promise<PolicyHost> {
  const asked: string[] = [];
  const texts: PolicyHost['texts'] = new Map();
  const server = createWebServer(
    { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    ({ url, headers }, response) => {
      const name = headers.host ?? '';
      asked.push(name);
      const found = url === '/.well-known/mta-sts.txt' ? texts.get(name) : undefined;
      const location = found?.status === 302 ? { location: 'https://elsewhere.example/' } : {};
      response.writeHead(found === undefined ? 404 : (found.status ?? 200), {
        'content-type': found?.type ?? 'text/plain; charset=utf-8',
        ...location,
      });
      response.end(found?.text);
    },
  ).listen(443, host);
  await once(server, 'listening');
  return {
    asked,
    texts,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A record for the key in a certificate file: of the certificate itself, or of its authority. */
export function tlsaOf(file: string, usage: number): TlsaRecord {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ format: 'der', type: 'spki' });
  return { usage, selector: 1, matchingType: 1, data: createHash('sha256').update(key).digest() };
}

/** Where unbound and the hosts of policies are. */
export const resolverAddress = `${network}.53`;
export const policyAddress = `${network}.60`;

/** What an agent is to know beside the zone. */
export interface AgentWishes {
  /** PEM file of the authority that it trusts. */
  readonly authority: string;
  readonly config?: Partial<ConfigInput>;
  readonly unsigned?: readonly string[];
  readonly bogus?: readonly string[];
}

/** A zone that is signed, and unbound before it. */
export async function startResolver(
  parts: Parts,
  zone: FixtureZone,
  dns: Pick<AgentWishes, 'unsigned' | 'bogus'> = {},
): Promise<void> {
  const knot = await parts.add(startKnot(zone, { signed: true }));
  const trustAnchor = knot.trustAnchor();
  await parts.add(startUnbound({ server: knot.address, trustAnchor, address: resolverAddress, ...dns }));
}

/** An agent that asks unbound, and tries everything once. */
export function startValidatingAgent({
  authority,
  config,
}: Pick<AgentWishes, 'authority' | 'config'>): Promise<TestAgent> {
  return startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    authorities: authority,
    dns: { servers: [resolverAddress], validating: true },
    queue: { retry: ['1h'] },
    ...config,
  }));
}

/** Waits until it is decided about so many recipients: how each came, or the status of why it did not. */
export async function outcomesOf(test: TestAgent, count: number): Promise<Map<string, string>> {
  const decided = () => test.log.lines.filter(({ text }) => /^(delivered|deferred|failed)$/.test(text));
  await expect.poll(() => decided().length, { timeout: 40_000 }).toBe(count);
  return new Map(
    decided().map(({ text, fields }) => {
      const { to, status } = fields as { to: string; status: string };
      return [to.slice(to.indexOf('@') + 1), text === 'delivered' ? 'delivered' : status];
    }),
  );
}
