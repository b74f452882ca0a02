import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TRUNCATED_RESPONSE } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import type { FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { createStubResolver, type StubResolverOptions } from '../../src/dns/stub-resolver.ts';
import { type DnsServer, startDnsServer, type Trouble, withHeader } from './dns-server.ts';
import { describeResolver } from './resolver-suite.ts';

const noFiles = { resolvConf: '/nonexistent/resolv.conf', hostsFile: '/nonexistent/hosts' };

function stub(server: DnsServer | readonly DnsServer[], options: StubResolverOptions = {}) {
  const servers = [server].flat().map(({ address }) => address);
  return createStubResolver({ ...noFiles, servers, timeout: 2000, ...options });
}

for (const chains of [true, false]) {
  describeResolver(`the stub, aliases ${chains ? 'in one answer' : 'one by one'},`, async (zone) => {
    const server = await startDnsServer({ zone, chains });
    return { resolver: stub(server), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  });
}

const zone: FixtureZone = {
  'example.test': { mx: [[10, 'mx.example.test']], a: ['192.0.2.1'] },
  'other.test': { a: ['192.0.2.2'] },
  'www.test': { cname: 'example.test' },
};

/** Trouble for the first queries, none for those after. */
function atFirst(times: number, trouble: Trouble): Trouble {
  let left = times;
  return (query, answer) => (left-- > 0 ? trouble(query, answer) : undefined);
}

const code =
  (value: number): Trouble =>
  (_, answer) => [withHeader({ ...answer, answers: [] }, { flags: value })];
const silence: Trouble = () => [];

describe('the stub on the wire', () => {
  it('asks for recursion and for the AD bit, with EDNS, each time from another port with another id', async () => {
    await using server = await startDnsServer({ zone });
    const resolver = stub(server, { cacheSize: 0 });
    for (let count = 0; count < 8; count += 1) await resolver.mx('example.test');
    const [query] = server.queries;
    expect(query?.packet).toMatchObject({ flag_rd: true, flag_ad: true });
    expect(query?.packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
    expect(new Set(server.queries.map(({ port }) => port)).size).toBeGreaterThan(4);
    expect(new Set(server.queries.map(({ packet }) => packet.id)).size).toBeGreaterThan(4);
  });

  it('goes on over TCP when an answer was cut off, even in the midst of a record', async () => {
    const cut: Trouble = ({ transport }, answer) => {
      if (transport === 'tcp') return undefined;
      return [withHeader(answer, { flags: TRUNCATED_RESPONSE }).subarray(0, -3)];
    };
    await using server = await startDnsServer({ zone, trouble: cut });
    expect(await stub(server).mx('example.test')).toMatchObject({ kind: 'found' });
    expect(server.queries.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });

  it('fails when a cut answer cannot be had over TCP either', async () => {
    const cut: Trouble = (_, answer) => [withHeader(answer, { flags: TRUNCATED_RESPONSE })];
    await using stubborn = await startDnsServer({ zone, trouble: cut });
    expect(await stub(stubborn).mx('example.test')).toMatchObject({ kind: 'failed' });
    await using closed = await startDnsServer({ zone, trouble: cut, tcp: false });
    expect(await stub(closed).mx('example.test')).toMatchObject({ kind: 'failed' });
  });

  it('ignores answers with a wrong id, to another question, that are queries, or garbage', async () => {
    const forged: Trouble = ({ packet }, answer) => {
      const lie = { ...answer, answers: [{ type: 'A', name: 'example.test', ttl: 60, data: '203.0.113.6' }] as const };
      const other = { ...answer, questions: [{ type: 'A', name: 'other.test' }] as const };
      return [
        withHeader({ ...lie, answers: [...lie.answers] }, { id: ((packet.id ?? 0) + 1) & 0xffff }),
        withHeader({ ...other, answers: [...lie.answers], questions: [...other.questions] }, {}),
        withHeader({ ...answer, type: 'query', answers: [...lie.answers] }, {}),
        Buffer.from('garbage'),
        Buffer.concat([withHeader(answer, {}).subarray(0, 14), Buffer.alloc(4, 0xff)]),
        withHeader(answer, {}),
      ];
    };
    await using server = await startDnsServer({ zone, trouble: forged });
    expect(await stub(server).addresses('example.test', 4)).toMatchObject({ records: ['192.0.2.1'] });
    expect(server.queries).toHaveLength(1);
  });

  it('turns to TCP when too many forged answers come', async () => {
    const flood: Trouble = ({ transport }, answer) => {
      if (transport === 'tcp') return undefined;
      return Array.from({ length: 100 }, (_, id) => withHeader(answer, { id: ((answer.id ?? 0) + id + 1) & 0xffff }));
    };
    await using server = await startDnsServer({ zone, trouble: flood });
    expect(await stub(server).addresses('example.test', 4)).toMatchObject({ records: ['192.0.2.1'] });
    expect(server.queries.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });

  it('ignores an answer from another address or port', async () => {
    const forger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(forger, 'listening');
    let answerLater: (() => void) | undefined;
    const spoof: Trouble = ({ port }, answer) => {
      const lie = withHeader(
        { ...answer, answers: [{ type: 'A', name: 'example.test', ttl: 60, data: '203.0.113.6' }] },
        {},
      );
      forger.send(lie, port, '127.0.0.1', () => answerLater?.());
      return [];
    };
    await using first = await startDnsServer({ zone, trouble: spoof });
    await using second = await startDnsServer({ zone });
    const sent = new Promise<void>((resolve) => {
      answerLater = resolve;
    });
    const answer = stub([first, second], { timeout: 500, attempts: 1 }).addresses('example.test', 4);
    await sent;
    expect(await answer).toMatchObject({ records: ['192.0.2.1'] });
    expect(second.queries).toHaveLength(1);
    forger.close();
  });

  it('asks the next server when one is silent, fails, refuses, or is not there, and begins with the good one next time', async () => {
    for (const trouble of [silence, code(2), code(5)]) {
      await using bad = await startDnsServer({ zone, trouble });
      await using good = await startDnsServer({ zone });
      const resolver = stub([bad, good], { timeout: 500, cacheSize: 0 });
      expect(await resolver.mx('example.test')).toMatchObject({ kind: 'found' });
      expect(await resolver.mx('example.test')).toMatchObject({ kind: 'found' });
      expect([bad.queries.length, good.queries.length]).toEqual([1, 2]);
    }
    const gone = await startDnsServer();
    await gone[Symbol.asyncDispose]();
    await using good = await startDnsServer({ zone });
    expect(await stub([gone, good], { timeout: 20_000 }).mx('example.test')).toMatchObject({ kind: 'found' });
  });

  it('asks a silent server once more in the next round, but not one that said it failed', async () => {
    await using lossy = await startDnsServer({ zone, trouble: atFirst(1, silence) });
    expect(await stub(lossy, { timeout: 500 }).mx('example.test')).toMatchObject({ kind: 'found' });
    await using failing = await startDnsServer({ zone, trouble: code(2) });
    expect(await stub(failing, { attempts: 3 }).mx('example.test')).toMatchObject({
      kind: 'failed',
      text: expect.stringContaining('SERVFAIL'),
    });
    expect(failing.queries).toHaveLength(1);
  });

  it('asks without EDNS a server that does not know it', async () => {
    const old: Trouble = ({ packet }, answer) =>
      packet.additionals?.length ? [withHeader({ ...answer, questions: [], answers: [] }, { flags: 1 })] : undefined;
    await using server = await startDnsServer({ zone, trouble: old });
    expect(await stub(server).mx('example.test')).toMatchObject({ kind: 'found' });
  });

  it('takes a referral for a failure and not for a denial', async () => {
    const refer: Trouble = (_, answer) => [
      { ...answer, answers: [], authorities: [{ type: 'NS', name: 'test', ttl: 60, data: 'ns.test' }] },
    ];
    await using server = await startDnsServer({ zone, trouble: refer });
    expect(await stub(server).mx('example.test')).toMatchObject({ kind: 'failed' });
  });

  it('CLI-MX-3 never takes faulty MX records for none', async () => {
    const faulty: Trouble = (_, answer) => [
      { ...answer, answers: [{ type: 'MX', name: 'example.test', data: { preference: 1, exchange: 'a b' } }] },
    ];
    await using server = await startDnsServer({ zone, trouble: faulty });
    expect(await stub(server).mx('example.test')).toMatchObject({ kind: 'found', records: [{ exchange: '?' }] });
  });

  it('keeps within its deadline and says no more than failed', async () => {
    await using server = await startDnsServer({ zone, trouble: silence });
    const resolver = stub(server, { timeout: 60_000, deadline: 50 });
    expect(await resolver.mx('example.test')).toEqual({ kind: 'failed', text: expect.any(String) });
  });

  it('lets one caller give up and serves the others who wait for the same', async () => {
    let answerNow: (() => void) | undefined;
    await using server = await startDnsServer({
      zone,
      trouble: atFirst(1, () => {
        answerNow?.();
        return [];
      }),
    });
    const asked = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    const resolver = stub(server, { timeout: 500 });
    const giving = new AbortController();
    const impatient = resolver.mx('example.test', giving.signal);
    const patient = resolver.mx('example.test');
    await asked;
    giving.abort();
    await expect(impatient).rejects.toMatchObject({ kind: 'aborted' });
    expect(await patient).toMatchObject({ kind: 'found' });
  });

  it('believes the AD bit of a server on this machine, and only as far as the whole chain of aliases has it', async () => {
    await using signed = await startDnsServer({ zone, authentic: true });
    expect(await stub(signed).mx('example.test')).toMatchObject({ secure: true });
    expect(await stub(signed).mx('nowhere.test')).toMatchObject({ kind: 'absent', secure: true });
    await using plain = await startDnsServer({ zone });
    expect(await stub(plain).mx('example.test')).toMatchObject({ secure: false });
    const halfSigned: Trouble = ({ question }, answer) => [
      withHeader(answer, { flags: question.name === 'www.test' ? 0x20 : 0 }),
    ];
    await using half = await startDnsServer({ zone, chains: false, trouble: halfSigned });
    expect(await stub(half).mx('www.test')).toMatchObject({ kind: 'found', secure: false });
  });
});

describe('the cache of the stub', () => {
  const clock = () => {
    let time = 1_000_000;
    return { now: () => time, pass: (seconds: number) => (time += seconds * 1000) };
  };

  it('keeps an answer as long as the least time in its chain', async () => {
    await using server = await startDnsServer({ zone, ttl: 30 });
    const { now, pass } = clock();
    const resolver = stub(server, { now });
    await resolver.mx('www.test');
    pass(29);
    await resolver.mx('www.test');
    expect(server.queries).toHaveLength(1);
    pass(1);
    expect(await resolver.mx('WWW.test')).toMatchObject({ kind: 'found' });
    expect(server.queries).toHaveLength(2);
  });

  it('keeps a denial as the SOA record says, and none without it', async () => {
    await using server = await startDnsServer({ zone, minimum: 100 });
    const { now, pass } = clock();
    const resolver = stub(server, { now });
    await resolver.mx('nowhere.test');
    pass(99);
    expect(await resolver.mx('nowhere.test')).toMatchObject({ kind: 'absent' });
    expect(server.queries).toHaveLength(1);
    pass(1);
    await resolver.mx('nowhere.test');
    expect(server.queries).toHaveLength(2);
    await using bare = await startDnsServer({ zone, minimum: null });
    const fresh = stub(bare, { now });
    await fresh.mx('nowhere.test');
    await fresh.mx('nowhere.test');
    expect(bare.queries).toHaveLength(2);
  });

  it('caps how long a denial is kept', async () => {
    await using server = await startDnsServer({ zone, minimum: 1_000_000 });
    const { now, pass } = clock();
    const resolver = stub(server, { now });
    await resolver.mx('nowhere.test');
    pass(3600);
    await resolver.mx('nowhere.test');
    expect(server.queries).toHaveLength(2);
  });

  it('keeps a failure for a second', async () => {
    await using server = await startDnsServer({ zone, trouble: atFirst(1, code(2)) });
    const { now, pass } = clock();
    const resolver = stub(server, { now });
    expect(await resolver.mx('example.test')).toMatchObject({ kind: 'failed' });
    expect(await resolver.mx('example.test')).toMatchObject({ kind: 'failed' });
    pass(1);
    expect(await resolver.mx('example.test')).toMatchObject({ kind: 'found' });
    expect(server.queries).toHaveLength(2);
  });

  it('forgets what was not used for longest when it is full', async () => {
    await using server = await startDnsServer({ zone });
    const resolver = stub(server, { cacheSize: 2 });
    await resolver.addresses('example.test', 4);
    await resolver.addresses('other.test', 4);
    await resolver.addresses('example.test', 4);
    await resolver.addresses('www.test', 4);
    await resolver.addresses('example.test', 4);
    expect(server.queries).toHaveLength(3);
    await resolver.addresses('other.test', 4);
    expect(server.queries).toHaveLength(4);
  });

  it('does not keep answers of more than 4 KiB', async () => {
    const large = { 'large.test': { txt: Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(200)}`) } };
    await using server = await startDnsServer({ zone: large });
    const resolver = stub(server);
    expect(await resolver.txt('large.test')).toMatchObject({ kind: 'found' });
    await resolver.txt('large.test');
    expect(server.queries.filter(({ transport }) => transport === 'tcp')).toHaveLength(2);
  });

  it('asks once for all who ask the same at once, and serves many more names than may be asked for at once', async () => {
    await using server = await startDnsServer({ zone });
    const resolver = stub(server, { concurrency: 2 });
    await Promise.all(Array.from({ length: 50 }, () => resolver.mx('example.test')));
    expect(server.queries).toHaveLength(1);
    const names = Array.from({ length: 40 }, (_, index) => `host${index}.test`);
    const answers = await Promise.all(names.map((name) => resolver.mx(name)));
    expect(answers.every(({ kind }) => kind === 'absent')).toBe(true);
  });
});

describe('the files of the system', () => {
  const withFiles = async (files: Record<string, string>, run: (folder: string) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), 'posthorn-dns-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await run(folder).finally(() => rm(folder, { recursive: true }));
  };

  it('the hosts file answers for addresses and names before any server is asked', () =>
    withFiles(
      { hosts: '# local\n::1 six.test six\n192.0.2.7\tseven.test # comment\n127.0.0.1 localhost\nnonsense x\n' },
      async (folder) => {
        await using server = await startDnsServer({ zone });
        const resolver = stub(server, { hostsFile: join(folder, 'hosts') });
        expect(await resolver.addresses('six.test', 6)).toMatchObject({ records: ['::1'] });
        expect(await resolver.addresses('six.test', 4)).toMatchObject({ kind: 'none' });
        expect(await resolver.addresses('SEVEN.test', 4)).toMatchObject({ records: ['192.0.2.7'] });
        expect(await resolver.addresses('localhost', 6)).toMatchObject({ kind: 'none' });
        expect(await resolver.reverse('0:0:0:0:0:0:0:1')).toMatchObject({ records: ['six.test', 'six'] });
        expect(server.queries).toHaveLength(0);
        expect(await resolver.mx('seven.test')).toMatchObject({ kind: 'absent' });
        expect(server.queries).toHaveLength(1);
      },
    ));

  it('refuses a server that is no address', () => {
    expect(() => createStubResolver({ servers: ['ns.example.test'] })).toThrow(/ns\.example\.test/);
  });
});
