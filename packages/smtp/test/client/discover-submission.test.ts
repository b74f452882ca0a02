import { connect } from 'node:net';
import { createClient, type DiscoveredOptions, discoverSubmission } from '@posthorn/smtp/client';
import type { SocketFactory } from '@posthorn/smtp/net/connect';
import { orderServices, type ServiceRecord } from '@posthorn/smtp/net/service-record';
import { createServer } from '@posthorn/smtp/server';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../laws/test-certificate.ts';

type Zone = Readonly<Record<string, readonly ServiceRecord[]>>;

const record = (name: string, port: number, [priority, weight] = [0, 0]) => ({ name, port, priority, weight });

/** Answers as `resolveSrv` does. */
const resolverOf = (zone: Zone) => async (name: string) => {
  const found = zone[name];
  if (found === undefined) throw Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' });
  return found;
};

const discover = (zone: Zone, domain = 'example.test') =>
  discoverSubmission(domain, { resolve: resolverOf(zone), chance: () => 0 });

describe('discovery', () => {
  it('SUB-14 prefers TLS from the first octet, and orders by priority', async () => {
    const zone = {
      '_submission._tcp.example.test': [record('mx.example.test', 587)],
      '_submissions._tcp.example.test': [
        record('b.example.test.', 4650, [20, 0]),
        record('A.example.test', 465, [10, 0]),
      ],
    };
    expect(await discover(zone, 'Example.TEST')).toEqual([
      { host: 'a.example.test', port: 465, tls: 'implicit', serverName: 'a.example.test' },
      { host: 'b.example.test', port: 4650, tls: 'implicit', serverName: 'b.example.test' },
      { host: 'mx.example.test', port: 587, tls: 'starttls', serverName: 'mx.example.test' },
    ]);
  });

  it('SUB-14 takes the target . for a service that is not offered', async () => {
    const none = [record('.', 0)];
    const zone = {
      '_submissions._tcp.example.test': none,
      '_submission._tcp.example.test': [record('m.example.test', 587)],
    };
    expect(await discover(zone)).toMatchObject([{ tls: 'starttls' }]);
    await expect(discover({ ...zone, '_submission._tcp.example.test': none })).rejects.toMatchObject({
      kind: 'refused',
    });
    await expect(discover({ '_submissions._tcp.example.test': none })).rejects.toMatchObject({ kind: 'refused' });
    await expect(discover({})).rejects.toMatchObject({ kind: 'dns' });
    await expect(discover({}, 'no domain')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('SUB-14 does not take trouble of the name system for a domain without records', async () => {
    const resolve = async (name: string) => {
      throw Object.assign(new Error(name), { code: name.startsWith('_submissions') ? 'ESERVFAIL' : 'ENODATA' });
    };
    await expect(discoverSubmission('example.test', { resolve })).rejects.toMatchObject({ kind: 'dns' });
    const silent = () => new Promise<never>(() => {});
    await expect(discoverSubmission('example.test', { resolve: silent, timeout: 10 })).rejects.toMatchObject({
      kind: 'timeout',
    });
  });

  it('SUB-14 wants a certificate of the domain from a host outside of it, unless that is confirmed', async () => {
    const resolve = resolverOf({ '_submission._tcp.example.test': [record('notexample.test', 587)] });
    const names = async (confirm?: (host: string) => boolean) =>
      (await discoverSubmission('example.test', { resolve, ...(confirm && { confirm }) })).map(
        (host) => host.serverName,
      );
    expect(await names()).toEqual(['example.test']);
    expect(await names(() => false)).toEqual(['example.test']);
    expect(await names((host) => host === 'notexample.test')).toEqual(['notexample.test']);
  });

  it('SUB-14 gives every record once, lower priorities first, and weights their share', () => {
    const records = fc.array(
      fc.record({
        priority: fc.integer({ min: 0, max: 3 }),
        weight: fc.integer({ min: 0, max: 65_535 }),
        port: fc.integer({ min: 1, max: 65_535 }),
        name: fc.constantFrom('a.test', 'b.test'),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(records, fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })), (list, chances) => {
        const ordered = orderServices(list, () => chances.next().value as number);
        expect(ordered).toHaveLength(list.length);
        expect(new Set(ordered)).toEqual(new Set(list));
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual([...priorities].sort((one, other) => one - other));
      }),
    );
    const pair = [record('light.test', 1, [0, 1]), record('heavy.test', 1, [0, 98])];
    const first = (chance: number) => orderServices(pair, () => chance)[0]?.name;
    expect([0, 0.01, 0.02, 0.5, 0.99].map(first)).toEqual(['light.test', 'light.test', ...Array(3).fill('heavy.test')]);
  });
});

/** A submission server that notes the logins it is shown. */
async function startServer() {
  const logins: string[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    handlers: {
      async authenticate(_session, { user }) {
        logins.push(user);
        return { login: user };
      },
      async message(_session, _transaction, text) {
        for await (const _ of text);
        return { code: 250, lines: ['Ok'] };
      },
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const listen = async (role: 'submission' | 'submissions') => {
    const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
    return 'port' in address ? address.port : 0;
  };
  return { logins, starttls: await listen('submission'), implicit: await listen('submissions') };
}

/** Every host is this machine. */
const loopback: SocketFactory = ({ port = 0 }) => connect({ host: '127.0.0.1', port });

function clientOf(zone: Zone, discovery: DiscoveredOptions['discovery'] = {}) {
  const client = createClient({
    domain: 'example.test',
    discovery: { resolve: resolverOf(zone), ...discovery },
    credentials: { user: 'ann', password: 'secret' },
    tlsMaterial: { ca: testCertificate.cert },
    socketFactory: loopback,
  });
  onTestFinished(() => client.close());
  return client;
}

const message = { from: 'ann@example.test', to: 'bob@example.test', text: 'Hello' };

describe('a client that discovers its host', () => {
  it('SUB-14 submits over TLS to the first host that it reaches', async () => {
    const server = await startServer();
    const zone = {
      '_submissions._tcp.example.test': [record('down.example.test', 1)],
      '_submission._tcp.example.test': [record('mx.example.test', server.starttls)],
    };
    expect(await clientOf(zone).send(message)).toMatchObject({ ok: true });
    const implicit = { '_submissions._tcp.example.test': [record('mx.example.test', server.implicit)] };
    expect(await clientOf(implicit).send(message)).toMatchObject({ ok: true });
    expect(server.logins).toEqual(['ann', 'ann']);
  });

  it('SUB-14 shows its credentials to no host whose certificate is not verified', async () => {
    const server = await startServer();
    const zone = { '_submission._tcp.example.test': [record('mx.evil.test', server.starttls)] };
    expect((await clientOf(zone).send(message)).recipients).toMatchObject([
      { kind: 'deferred', phase: 'tls', failure: { kind: 'tls' } },
    ]);
    const confirmed = { confirm: () => true };
    expect((await clientOf(zone, confirmed).send(message)).recipients).toMatchObject([{ failure: { kind: 'tls' } }]);
    expect(server.logins).toEqual([]);
  });

  it('SUB-14 defers what a domain does not let it submit', async () => {
    expect((await clientOf({}).send(message)).recipients).toMatchObject([
      { kind: 'deferred', failure: { kind: 'dns' } },
    ]);
  });
});
