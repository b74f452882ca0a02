import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TrackedHop, trackMessage } from '@posthorn/smtp/tracking';
import { afterAll, describe, expect, it } from 'vitest';
import { SocketClient } from '../../../smtp/test/laws/socket-client.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent, type TestAgent } from './fixture.ts';
import { startNextHop, startSilentHop } from './next-hop.ts';
import { TestSession } from './session.ts';

const secret = Buffer.from('5f0c7be1a94d2286f3b0117ce85d9a4463c2', 'hex');
const certifier = 'rCdfRXj5v2zwaR8qPyN/jzXH3bU';
const envelopeId = 't17.20261121@mail.example.org';
const from = (timeout: number | 'usual' = 864_000, envid = envelopeId) =>
  `<ann@example.org> ENVID=${envid} MTRK=${certifier}${timeout === 'usual' ? '' : `:${timeout}`}`;
const day = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'mta-tracking-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const listeners: ConfigInput['listeners'] = [
  { role: 'mx', host: '127.0.0.1', port: 0 },
  { role: 'mtqp', host: '127.0.0.1', port: 0 },
];

function startTracking(change: Partial<ConfigInput> = {}, now?: () => number) {
  return startTestAgent(
    () => ({ listeners, relayFrom: ['127.0.0.0/8'], queue: { retry: ['1s'] }, ...change }),
    now === undefined ? {} : { now },
  );
}

function mtqpPort({ agent }: Pick<TestAgent, 'agent'>): number {
  const listener = agent.listeners.find(({ role }) => role === 'mtqp');
  return listener !== undefined && 'port' in listener ? listener.port : 0;
}

async function track(test: TestAgent, query = { envelopeId, secret }): Promise<TrackedHop> {
  return trackMessage({ ...query, server: { host: '127.0.0.1', port: mtqpPort(test) }, findServers: async () => [] });
}

const actions = ({ reports }: TrackedHop) =>
  reports.flatMap(({ recipients }) => recipients.map(({ finalRecipient, action }) => `${finalRecipient} ${action}`));

describe('a tracked message', () => {
  it('EXT-MTRK-1 is taken only with an ENVID, and offered only where somebody answers queries', async () => {
    await using test = await startTracking();
    await using session = await TestSession.open(test.port);
    const say = (parameters: string) => session.say(`MAIL FROM:<ann@example.org> ${parameters}`);
    expect(await say(`MTRK=${certifier}:864000`)).toMatch(/^501 5\.5\.4 /);
    expect(await say(`ENVID=${envelopeId} MTRK=${certifier}=:864000`)).toMatch(/^501 5\.5\.4 /);
    expect(await say(`ENVID=${envelopeId} MTRK=${certifier}:864000`)).toMatch(/^250 /);
    expect(await session.say('RCPT TO:<bob@example.org> ORCPT=rfc822;bob@example.org')).toMatch(/^250 /);
    await using plain = await startTestAgent();
    const offers = async (port: number) => {
      const client = SocketClient.connect({ port });
      await client.reply();
      const reply = await client.say('EHLO client.example');
      client.destroy();
      return /^250[- ]MTRK$/m.test(reply);
    };
    expect(await offers(test.port)).toBe(true);
    expect(await offers(plain.port)).toBe(false);
  });

  it('EXT-MTRK-2 EXT-MTSN-2 EXT-MTQP-6 is passed on with the time that is left, and followed over three agents', async () => {
    const at = (host: string, to?: TestAgent, name = host) => ({
      hostname: 'mx.example.org',
      listeners: listeners.map((listener) => ({ ...listener, host })) as ConfigInput['listeners'],
      ...(to === undefined
        ? {}
        : {
            domains: { 'example.org': { relay: true } },
            routes: [{ domain: '*', to: `smtp://${name}:${to.port}?tls=none` }],
          }),
    });
    await using last = await startTracking(at('127.0.0.3'));
    await using middle = await startTracking(at('127.0.0.2', last, '127.0.0.3'));
    await using first = await startTracking(at('127.0.0.1', middle, '127.0.0.2'));
    await sendMail(first.port, { from: from(), to: ['<bob@example.org> ORCPT=rfc822;bob@example.org'] });
    await mailIn(last, 'bob', 1);
    const agents: Readonly<Record<string, TestAgent>> = { '[127.0.0.2]': middle, '[127.0.0.3]': last };
    const follow = () =>
      trackMessage({
        envelopeId,
        secret,
        server: { host: '127.0.0.1', port: mtqpPort(first) },
        findServers: async (host) => [{ host: host.slice(1, -1), port: mtqpPort(agents[host] as TestAgent) }],
      });
    const shape = ({ host, reports, next }: TrackedHop): unknown[] => [
      host,
      reports[0]?.recipients[0]?.action,
      ...next.map(shape),
    ];
    await expect
      .poll(async () => shape(await follow()))
      .toEqual(['127.0.0.1', 'transferred', ['[127.0.0.2]', 'transferred', ['[127.0.0.3]', 'delivered']]]);
    const hop = await follow();
    expect(hop.next[0]?.next[0]?.reports[0]).toMatchObject({
      envelopeId,
      reportingMta: 'mx.example.org',
      recipients: [{ finalRecipient: 'bob@example.org', originalRecipient: 'rfc822;bob@example.org', status: '2.1.5' }],
    });
  });

  it('EXT-MTRK-1 EXT-MTQP-3 is told of only to those who know the secret', async () => {
    await using test = await startTracking();
    await sendMail(test.port, { from: from(), to: ['<bob@example.org>'] });
    await mailIn(test, 'bob', 1);
    await expect.poll(async () => actions(await track(test))).toEqual(['bob@example.org delivered']);
    const wrong = await track(test, { envelopeId, secret: Buffer.alloc(18, 1) });
    const unknown = await track(test, { envelopeId: 'other@mail.example.org', secret });
    expect(wrong.reply).toEqual({ indicator: 'ERR', details: ['noinfo'], text: 'No information' });
    expect(unknown).toEqual(wrong);
  });

  it('EXT-MTSN-2 is delayed while it waits, with what was tried and until when', async () => {
    await using silent = await startSilentHop();
    await using later = await startNextHop({ reply: (verb) => (verb === 'RCPT' ? '450 4.2.1 come again' : undefined) });
    await using never = await startNextHop({ reply: (verb) => (verb === 'RCPT' ? '550 5.1.1 nobody' : undefined) });
    await using test = await startTracking({
      queue: { retry: ['1h'] },
      routes: [
        { domain: 'silent.example', to: silent.to },
        { domain: 'later.example', to: later.to },
        { domain: 'never.example', to: never.to },
      ],
    });
    await sendMail(test.port, { from: from(), to: ['<a@later.example>', '<b@never.example>', '<bob@example.org>'] });
    await expect
      .poll(async () => actions(await track(test)))
      .toEqual(['a@later.example delayed', 'b@never.example failed', 'bob@example.org delivered']);
    const [report] = (await track(test)).reports;
    expect(report?.recipients[0]).toMatchObject({ status: '4.2.1', remoteMta: '[127.0.0.1]' });
    expect(report?.recipients[0]?.willRetryUntil).toBe((report?.arrivalDate ?? 0) + 5 * day);
    expect(report?.recipients[1]).toMatchObject({ status: '5.1.1' });
    expect(report?.recipients[1]?.willRetryUntil).toBeUndefined();
    await sendMail(test.port, { from: from(864_000, 'second@x.example'), to: ['<c@silent.example>'] });
    const untried = await track(test, { envelopeId: 'second@x.example', secret });
    expect(untried.reports[0]?.recipients[0]).toMatchObject({ action: 'delayed', status: '4.0.0' });
    expect(untried.reports[0]?.recipients[0]?.remoteMta).toBeUndefined();
    expect(untried.reports[0]?.recipients[0]?.lastAttempt).toBeUndefined();
    await test.agent.close({ grace: 0 });
  });

  it('EXT-MTRK-2 ENH-1/2.1.9 EXT-MTSN-2 loses its certifier at a host without MTRK, and keeps ENVID and ORCPT', async () => {
    await using hop = await startNextHop({ offers: ['DSN'] });
    await using bare = await startNextHop({ offers: [] });
    await using test = await startTracking({
      routes: [
        { domain: 'bare.example', to: bare.to },
        { domain: '*', to: hop.to },
      ],
    });
    await sendMail(test.port, {
      from: from(),
      to: ['<dave@example.net> ORCPT=rfc822;dave@example.net', '<eve@bare.example> ORCPT=rfc822;eve@bare.example'],
    });
    await expect.poll(() => hop.taken.length + bare.taken.length).toBe(2);
    expect(hop.taken[0]?.mail).toContain(` ENVID=${envelopeId}`);
    expect(hop.taken[0]?.mail).not.toContain('MTRK');
    expect(hop.taken[0]?.rcpt).toEqual(['RCPT TO:<dave@example.net> ORCPT=rfc822;dave@example.net']);
    expect(bare.taken[0]?.mail).not.toMatch(/MTRK|ENVID/);
    await expect
      .poll(async () => actions(await track(test)))
      .toEqual(['dave@example.net relayed', 'eve@bare.example relayed']);
    for (const { status } of (await track(test)).reports[0]?.recipients ?? []) expect(status).toBe('2.1.9');
  });

  it('EXT-MTRK-2 goes on with MTRK where the host has it, but not when its time is over', async () => {
    await using hop = await startNextHop({ offers: ['DSN', 'MTRK'] });
    await using test = await startTracking({ routes: [{ domain: '*', to: hop.to }] });
    await sendMail(
      test.port,
      { from: from(1000), to: ['<a@far.example>'] },
      { from: from(0, 'over@x.example'), to: ['<b@far.example>'] },
      { from: from('usual', 'usual@x.example'), to: ['<c@far.example>'] },
    );
    await expect.poll(() => hop.taken.length).toBe(3);
    const mail = (path: string) => hop.takenFor(path)[0]?.mail ?? '';
    const seconds = (path: string) => Number(/ MTRK=[^: ]+:(\d+)/.exec(mail(path))?.[1]);
    expect(mail('<a@far.example>')).toContain(` MTRK=${certifier}:`);
    expect(seconds('<a@far.example>')).toBeGreaterThan(900);
    expect(seconds('<a@far.example>')).toBeLessThanOrEqual(1000);
    expect(mail('<b@far.example>')).not.toContain('MTRK');
    expect(seconds('<c@far.example>') / 86_400).toBeCloseTo(9, 1);
    await expect.poll(async () => actions(await track(test))).toEqual(['a@far.example transferred']);
  });

  it('EXT-MTRK-4 EXT-MTSN-3 gives its certifier to one member of an alias, and names no other', async () => {
    await using hop = await startNextHop({ offers: ['DSN', 'MTRK'] });
    await using test = await startTestAgent((place) => ({
      listeners,
      domains: {
        'example.org': {
          deliver: `maildir:${place}/mail/{local}`,
          mailboxes: ['bob', 'carol'],
          aliases: {
            team: ['one@far.example', 'two@far.example', 'bob'],
            only: ['three@far.example'],
          },
          lists: { news: { members: ['carol', 'four@far.example'], owner: ['bob'], postedBy: 'anyone' } },
        },
      },
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, {
      from: from(),
      to: ['<team@example.org>', '<only@example.org> ORCPT=rfc822;only@example.org', '<news@example.org>'],
    });
    await expect.poll(() => hop.taken.length).toBeGreaterThanOrEqual(3);
    await mailIn(test, 'carol', 1);
    const tracked = hop.taken.filter(({ mail }) => mail.includes('MTRK')).flatMap(({ rcpt }) => rcpt);
    expect(tracked.sort()).toEqual([
      'RCPT TO:<one@far.example>',
      'RCPT TO:<three@far.example> ORCPT=rfc822;only@example.org',
    ]);
    await expect
      .poll(async () => actions(await track(test)))
      .toEqual([
        'one@far.example transferred',
        'team@example.org expanded',
        'three@far.example transferred',
        'news@example.org expanded',
      ]);
  });

  it('LMTP-8 EXT-MTSN-2 is transferred to an LMTP server that tracks it, and delivered by one that does not', async () => {
    await using tracking = await startNextHop({ offers: ['DSN', 'MTRK'], lmtp: true });
    await using plain = await startNextHop({ offers: [], lmtp: true });
    await using test = await startTracking({
      routes: [
        { domain: 'tracking.example', to: tracking.to.replace('smtp:', 'lmtp:') },
        { domain: '*', to: plain.to.replace('smtp:', 'lmtp:') },
      ],
    });
    await sendMail(test.port, { from: from(), to: ['<a@tracking.example>', '<b@plain.example>'] });
    await expect
      .poll(async () => actions(await track(test)))
      .toEqual(['a@tracking.example transferred', 'b@plain.example delivered']);
    expect(tracking.taken[0]?.mail).toContain(`MTRK=${certifier}:`);
  });

  it('EXT-MTSN-3 LOC-FW-2 is delivered where it goes on in confidence, and expanded where it goes on to several', async () => {
    await using hop = await startNextHop({ offers: ['DSN', 'MTRK'] });
    await using test = await startTestAgent((place) => ({
      listeners,
      domains: {
        'example.org': {
          deliver: `maildir:${place}/mail/{local}`,
          mailboxes: ['bob', 'joe'],
          aliases: { staff: ['x@far.example', 'y@far.example'], 'owner-staff': ['bob'] },
          forwards: {
            joe: { to: 'secret@far.example', mode: 'silent', confidential: true, keepCopy: true },
            ann: { to: 'hidden@far.example', mode: 'silent', confidential: true },
          },
        },
      },
      routes: [{ domain: '*', to: hop.to }],
    }));
    const to = ['<joe@example.org>', '<ann@example.org>', '<staff@example.org>'];
    await sendMail(test.port, { from: from(), to });
    await expect.poll(() => hop.taken.length).toBeGreaterThanOrEqual(3);
    for (const { mail } of hop.taken) expect(mail).not.toContain('MTRK');
    await expect
      .poll(async () => actions(await track(test)))
      .toEqual(['joe@example.org delivered', 'ann@example.org delivered', 'staff@example.org expanded']);
  });

  it('EXT-MTRK-3 is known for its time, and as long as it is in the queue', async () => {
    let time = Date.UTC(2026, 10, 21, 10);
    await using silent = await startSilentHop();
    await using test = await startTracking(
      { routes: [{ domain: '*', to: silent.to }], queue: { retry: ['1h'], lifetime: '60d' } },
      () => time,
    );
    const { tracks } = test.agent.store;
    const know = (id: string) => tracks.find({ envelopeId: id, secret }).length;
    await sendMail(
      test.port,
      { from: from('usual', 'usual@x.example'), to: ['<bob@example.org>'] },
      { from: from(172_800, 'short@x.example'), to: ['<bob@example.org>'] },
      { from: from(999_999_999, 'long@x.example'), to: ['<bob@example.org>'] },
      { from: from(60, 'queued@x.example'), to: ['<a@far.example>'] },
    );
    await mailIn(test, 'bob', 3);
    await expect.poll(() => test.agent.store.count()).toBe(1);
    const known = async (days: number) => {
      time = Date.UTC(2026, 10, 21, 10) + days * day + 60_000;
      while (await tracks.sweep(time));
      return ['usual', 'short', 'long', 'queued'].filter((name) => know(`${name}@x.example`) > 0);
    };
    expect(await known(1)).toEqual(['usual', 'short', 'long', 'queued']);
    expect(await known(2)).toEqual(['usual', 'long', 'queued']);
    expect(await known(8)).toEqual(['usual', 'long', 'queued']);
    expect(await known(10)).toEqual(['long', 'queued']);
    expect(await known(31)).toEqual(['queued']);
    await test.agent.close({ grace: 0 });
  });

  it('EXT-MTRK-3 is known across a restart, delivered or not', async () => {
    const dataDir = join(folder, 'restart');
    await using silent = await startSilentHop();
    {
      await using test = await startTracking({ dataDir, routes: [{ domain: '*', to: silent.to }] });
      await sendMail(
        test.port,
        { from: from(), to: ['<bob@example.org>', '<a@far.example>'] },
        { from: from(864_000, 'done@x.example'), to: ['<bob@example.org>'] },
      );
      await mailIn(test, 'bob', 2);
      await expect.poll(() => test.agent.store.count()).toBe(1);
      await test.agent.close({ grace: 0 });
    }
    await using hop = await startNextHop();
    await using test = await startTracking({ dataDir, routes: [{ domain: '*', to: hop.to }] });
    expect(actions(await track(test, { envelopeId: 'done@x.example', secret }))).toEqual(['bob@example.org delivered']);
    await expect
      .poll(async () => actions(await track(test)), { timeout: 10_000 })
      .toEqual(['bob@example.org delivered', 'a@far.example relayed']);
  }, 20_000);

  it('is forgotten when too many others come, the one first whose time ends first', async () => {
    await using test = await startTracking({ extensions: { tracking: { messages: 3 } } });
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const [index, name] of names.entries()) {
      const timeout = (name === 'b' ? 1 : 2) * 86_400 + index;
      await sendMail(test.port, { from: from(timeout, `${name}@x.example`), to: ['<bob@example.org>'] });
      await expect.poll(() => test.agent.store.count()).toBe(0);
    }
    const { tracks } = test.agent.store;
    expect(tracks.count()).toBe(3);
    const known = names.filter((name) => tracks.find({ envelopeId: `${name}@x.example`, secret }).length > 0);
    expect(known).toEqual(['c', 'd', 'e']);
  });

  it('costs nothing where nobody tracks', async () => {
    await using test = await startTracking();
    await sendMail(test.port, { from: `<ann@example.org> ENVID=${envelopeId}`, to: ['<bob@example.org>'] });
    await mailIn(test, 'bob', 1);
    expect(test.agent.store.tracks.count()).toBe(0);
  });
});
