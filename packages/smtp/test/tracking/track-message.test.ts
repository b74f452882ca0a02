import type { ServiceRecord } from '@posthorn/smtp/net/service-record';
import type { TrackedHop } from '@posthorn/smtp/tracking';
import { trackMessage } from '@posthorn/smtp/tracking';
import { trackerFinder } from '@posthorn/smtp/tracking/find-trackers';
import { describe, expect, it } from 'vitest';
import { query, recipient, reportBy, startTracking } from './tracking-hosts.ts';

/** Hosts on loopback by their names, each with what it says of the message. */
async function startHosts(hosts: Readonly<Record<string, () => ReturnType<typeof reportBy>[]>>) {
  const ports = new Map<string, number>();
  const asked: string[] = [];
  for (const [name, say] of Object.entries(hosts)) {
    const track = () => {
      asked.push(name);
      return say();
    };
    ports.set(name, (await startTracking({ hostname: name, track })).port);
  }
  const findServers = async (host: string) => [{ host: '127.0.0.1', port: ports.get(host) ?? 1 }];
  return { asked, findServers };
}

/** The tree of hosts, as text. */
function shape({ host, failure, reply, next }: TrackedHop): string {
  const rest = next.length === 0 ? '' : `(${next.map(shape).join(' ')})`;
  return `${host}${failure === undefined ? '' : `!${failure.kind}`}${reply === undefined ? '' : `!${reply.details}`}${rest}`;
}

describe('following a message', () => {
  it('EXT-MTQP-6 goes from host to host where it was transferred, and stops at any other action', async () => {
    const { asked, findServers } = await startHosts({
      'mail.example.org': () => [
        reportBy(
          'mail.example.org',
          recipient('transferred', 'mx1.example.com'),
          recipient('transferred', 'MX1.example.com'),
          recipient('relayed', 'mx.example.net'),
          recipient('expanded', 'mx.example.net'),
          recipient('delivered', 'mx.example.net'),
          recipient('opaque', 'mx.example.net'),
        ),
      ],
      'MX1.example.com': () => [reportBy('mx1.example.com', recipient('transferred', 'mx2.example.com'))],
      'mx2.example.com': () => [reportBy('mx2.example.com', recipient('delivered'))],
      'mx.example.net': () => [],
    });
    const hop = await trackMessage({ ...query, findServers });
    expect(shape(hop)).toBe('mail.example.org(MX1.example.com(mx2.example.com))');
    expect(hop.next[0]?.next[0]?.reports[0]?.recipients[0]?.action).toBe('delivered');
    expect(asked).toEqual(['mail.example.org', 'MX1.example.com', 'mx2.example.com']);
  });

  it('EXT-MTQP-6 does not ask a host whose answer came with that of the one before', async () => {
    const { asked, findServers } = await startHosts({
      'mail.example.org': () => [
        reportBy('mail.example.org', recipient('transferred', 'inner.example.org')),
        reportBy('inner.example.org', recipient('delivered')),
      ],
    });
    const hop = await trackMessage({ ...query, findServers });
    expect(hop.reports).toHaveLength(2);
    expect(asked).toEqual(['mail.example.org']);
  });

  it('EXT-MTQP-6 is not led round in a circle, nor on and on', async () => {
    const circle = await startHosts({
      'mail.example.org': () => [reportBy('mail.example.org', recipient('transferred', 'b.example'))],
      'b.example': () => [
        reportBy('b.example', recipient('transferred', 'mail.example.org'), recipient('transferred', 'b.example.')),
      ],
    });
    expect(shape(await trackMessage({ ...query, ...circle }))).toBe(
      'mail.example.org(b.example(mail.example.org!limit b.example.!limit))',
    );
    let count = 0;
    const { port } = await startTracking({
      track: () => [
        reportBy('x', recipient('transferred', `h${++count}.example`), recipient('transferred', `i${count}.example`)),
      ],
    });
    const endless = await trackMessage({
      ...query,
      mostHosts: 7,
      findServers: async () => [{ host: '127.0.0.1', port }],
    });
    expect(count).toBe(7);
    expect(shape(endless)).toContain('!limit');
  });

  it('tells of hosts that are not there, or know nothing', async () => {
    const { findServers } = await startHosts({
      'mail.example.org': () => [
        reportBy(
          'mail.example.org',
          recipient('transferred', 'gone.example'),
          recipient('transferred', 'empty.example'),
        ),
      ],
      'empty.example': () => [],
    });
    const hop = await trackMessage({ ...query, findServers });
    expect(shape(hop)).toBe('mail.example.org(gone.example!refused empty.example!noinfo)');
  });

  it('EXT-MTQP-6 begins at the server that it is told, or at the host of the ENVID', async () => {
    const { port } = await startTracking();
    const server = { host: '127.0.0.1', port };
    const findServers = async () => [];
    expect(shape(await trackMessage({ ...query, envelopeId: 'QQ1', server, findServers }))).toBe('127.0.0.1');
    await expect(trackMessage({ ...query, envelopeId: 'QQ1', findServers })).rejects.toMatchObject({ kind: 'invalid' });
    expect(shape(await trackMessage({ ...query, findServers }))).toBe('mail.example.org!dns');
  });

  it('asks the next server of a host when one is not there', async () => {
    const { port } = await startTracking();
    const findServers = async () => [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port },
    ];
    expect(shape(await trackMessage({ ...query, findServers }))).toBe('mail.example.org');
  });
});

describe('finding tracking servers', () => {
  const records: ServiceRecord[] = [
    { priority: 20, weight: 0, port: 3, name: 'c.example.' },
    { priority: 10, weight: 0, port: 1, name: 'a.example' },
  ];

  it('EXT-MTQP-1 uses SRV records by priority, else the host itself on port 1038', async () => {
    const names: string[] = [];
    const find = trackerFinder(async (name) => {
      names.push(name);
      return name.endsWith('.with.example') ? records : [];
    }, Math.random);
    expect(await find('smtp3.with.example')).toEqual([
      { host: 'a.example', port: 1 },
      { host: 'c.example', port: 3 },
    ]);
    expect(await find('plain.example')).toEqual([{ host: 'plain.example', port: 1038 }]);
    expect(await find('[IPv6:2001:db8::1]')).toEqual([{ host: '2001:db8::1', port: 1038 }]);
    expect(await find('192.0.2.1')).toEqual([{ host: '192.0.2.1', port: 1038 }]);
    expect(names).toEqual(['_mtqp._tcp.smtp3.with.example', '_mtqp._tcp.plain.example']);
  });

  it('EXT-MTQP-1 asks nobody where the record says that there is none', async () => {
    const find = trackerFinder(async () => [{ priority: 0, weight: 0, port: 0, name: '' }], Math.random);
    await expect(find('x.example')).rejects.toMatchObject({ kind: 'refused' });
  });
});
