import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';
import { afterEach, describe, expect, it } from 'vitest';
import { type MailHostOptions, mailHost, startHost, type Taken } from '../../../smtp/test/client/scripted-host.ts';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { createRelayAgent } from '../../src/agents/relay.ts';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import type { Envelope, Recipient } from '../../src/queue/envelope.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import { jobOf, moment } from './delivery-job.ts';

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const mx: NextHop = { kind: 'mx', key: 'mx', domain: 'example.test' };

interface Relaying {
  readonly envelope: Partial<Envelope>;
  readonly recipients?: readonly Recipient[];
  readonly port: number;
  readonly zone: FixtureZone;
  readonly now?: () => number;
}

/** Relays one message to the exchangers of a zone, which all have the same port. */
async function relay({ envelope, recipients, port, zone, now = () => moment }: Relaying): Promise<readonly Outcome[]> {
  const agent = createRelayAgent({
    name: 'relay.example',
    ownNames: ['relay.example'],
    ownAddresses: [],
    resolver: createFixtureResolver(zone),
    families: [4],
    chance: () => 0,
    now,
    port,
    tlsMaterial: { ca: testCertificate.cert },
  });
  const facts = { nextHop: mx, text: 'Subject: x\r\n\r\nx\r\n', envelope: { body: '7BIT', ...envelope } as const };
  const outcomes = await agent.deliver(jobOf(recipients === undefined ? facts : { ...facts, recipients }));
  await agent.close();
  return outcomes;
}

async function host(options: MailHostOptions, address = '127.0.0.1', port = 0) {
  const { script, taken } = mailHost(options);
  const running = await startHost(script, { host: address, port });
  open.push(running);
  return { port: running.port, sessions: running.sessions, taken: taken as readonly Taken[] };
}

/** Two exchangers on the same port: the one that is better, and the other. */
async function pair(better: MailHostOptions, other: MailHostOptions) {
  const first = await host(better, '127.0.0.2');
  const second = await host(other, '127.0.0.3', first.port);
  const zone: FixtureZone = {
    'example.test': {
      mx: [
        [1, 'better.test'],
        [2, 'other.test'],
      ],
      secure: true,
    },
    'better.test': { a: ['127.0.0.2'] },
    'other.test': { a: ['127.0.0.3'] },
  };
  return { first, second, zone, port: first.port };
}

const in120: Partial<Envelope> = { deliverBy: { until: moment + 120_000, mode: 'R' } };
const enhanced = 'ENHANCEDSTATUSCODES';

describe('what a relay passes on', () => {
  it('EXT-DBY-4 fails mode R at the first exchanger without DELIVERBY, and searches no other for it', async () => {
    const { first, second, zone, port } = await pair({ offers: [enhanced] }, { offers: [enhanced, 'DELIVERBY'] });
    const [outcome] = await relay({ envelope: in120, zone, port });
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.3.3', remoteHost: 'better.test' });
    expect([first.taken, second.sessions]).toEqual([[], []]);
  });

  it('EXT-DBY-4 goes with mode R to the next exchanger when the first is not there', async () => {
    const { second, zone, port } = await pair({ greeting: '421 4.3.2 not now' }, { offers: [enhanced, 'DELIVERBY'] });
    const [outcome] = await relay({ envelope: in120, zone, port });
    expect(outcome).toMatchObject({ kind: 'delivered' });
    expect(outcome?.traced).toBeUndefined();
    expect(second.taken[0]?.mail).toMatch(/ BY=120;R$/);
  });

  it('EXT-DBY-2 EXT-DBY-3 makes no attempt of mode R when its time is over, and sends what mode N has lost', async () => {
    const knows = await host({ offers: [enhanced, 'DELIVERBY'] });
    const zone: FixtureZone = { 'example.test': { a: ['127.0.0.1'] } };
    const now = () => moment + 125_000;
    const [late] = await relay({ envelope: in120, zone, port: knows.port, now });
    expect(late).toMatchObject({ kind: 'failed', status: '5.4.7' });
    const deliverBy = { until: moment + 120_000, mode: 'N', trace: true } as const;
    const [told] = await relay({ envelope: { deliverBy }, zone, port: knows.port, now });
    expect(told).toMatchObject({ kind: 'delivered', traced: true });
    expect(knows.taken.map(({ mail }) => mail)).toEqual(['MAIL FROM:<ann@example.net> BY=-5;NT']);
  });

  it('EXT-DBY-4 EXT-DBY-7 tells of mode N at a host without DELIVERBY only as long as it is in time', async () => {
    const plain = await host({ offers: [enhanced, 'DSN'] });
    const zone: FixtureZone = { 'example.test': { a: ['127.0.0.1'] } };
    const envelope = { deliverBy: { until: moment + 5000, mode: 'N' } } as const;
    const [inTime] = await relay({ envelope, zone, port: plain.port });
    const [late] = await relay({ envelope, zone, port: plain.port, now: () => moment + 6000 });
    expect([inTime?.traced, late?.traced]).toEqual([true, undefined]);
    expect(plain.taken.map(({ mail, rcpt }) => [mail, rcpt])).toEqual([
      ['MAIL FROM:<ann@example.net>', ['RCPT TO:<bob@example.org> NOTIFY=FAILURE,DELAY']],
      ['MAIL FROM:<ann@example.net>', ['RCPT TO:<bob@example.org>']],
    ]);
  });

  it('EXT-RRVS-2 asks the next exchanger about owners when the first knows nothing of them', async () => {
    const { first, second, zone, port } = await pair({ offers: [enhanced] }, { offers: [enhanced, 'RRVS'] });
    const since = Date.UTC(2024, 5, 1);
    const recipients: Recipient[] = [
      { address: 'r@example.test', rrvs: { since, fallback: 'R' } },
      { address: 'n@example.test' },
    ];
    const outcomes = await relay({ envelope: {}, recipients, zone, port });
    expect(outcomes.map(({ kind, remoteHost }) => [kind, remoteHost])).toEqual([
      ['delivered', 'other.test'],
      ['delivered', 'better.test'],
    ]);
    expect(first.taken[0]?.rcpt).toEqual(['RCPT TO:<n@example.test>']);
    expect(second.taken[0]?.rcpt).toHaveLength(1);
  });

  it('EXT-RTLS-2 sends what needs TLS only to exchangers that signed answers of the DNS have named', async () => {
    let taken = 0;
    const server = createServer({
      hostname: 'mx.example.test',
      tls: testCertificate,
      extensions: { requireTls: true },
      handlers: {
        async message(_session, _transaction, text) {
          for await (const piece of text) void piece;
          taken += 1;
          return reply(250, '2.0.0', 'taken');
        },
      },
    });
    open.push({ [Symbol.asyncDispose]: () => server.close({ grace: 0 }) });
    const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
    const port = 'port' in address ? address.port : 0;
    const zone = (secure: boolean, name = 'mx.example.test'): FixtureZone => ({
      'example.test': { mx: [[1, name]], secure },
      [name]: { a: ['127.0.0.1'] },
    });
    const results: string[] = [];
    for (const [envelope, zoned] of [
      [{ requireTls: true }, zone(true)],
      [{ requireTls: true }, zone(false)],
      [{ requireTls: true }, zone(true, 'not-in-the-certificate.test')],
      [{ requireTls: true, reversePath: '' }, zone(false)],
      [{}, zone(false)],
    ] as const) {
      const [outcome] = await relay({ envelope, zone: zoned, port });
      results.push(`${outcome?.kind} ${outcome?.status}`);
    }
    expect(results).toEqual([
      'delivered 2.1.5',
      'failed 5.7.10',
      'failed 5.7.10',
      'delivered 2.1.5',
      'delivered 2.1.5',
    ]);
    expect(taken).toBe(3);
  });

  it('EXT-RTLS-2 tries the next exchanger before it gives up what needs TLS', async () => {
    const { zone, port } = await pair({ offers: [enhanced] }, { greeting: '421 4.3.2 not now' });
    const [outcome] = await relay({ envelope: { requireTls: true }, zone, port });
    expect(outcome).toMatchObject({ kind: 'deferred', remoteHost: 'other.test' });
  });
});
