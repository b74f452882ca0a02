import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type MailHostOptions,
  mailHost,
  type ScriptedHost,
  startHost,
  type Taken,
} from '../../../smtp/test/client/scripted-host.ts';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { createRelayAgent, type RelayOptions } from '../../src/agents/relay.ts';
import { createFixtureResolver, type FixtureZone } from '../../src/dns/fixture-resolver.ts';
import type { DeliveryAgent } from '../../src/queue/delivery-agent.ts';
import type { Envelope, Recipient } from '../../src/queue/envelope.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Outcome } from '../../src/queue/outcome.ts';
import type { Content } from '../../src/queue/queue-store.ts';
import { describeDeliveryAgent } from './delivery-agent-suite.ts';
import { jobOf } from './delivery-job.ts';

/** Content that can be read so many times before it fails in the middle. */
function contentThatBreaks(reads: number, error: Error): Content {
  let left = reads;
  return {
    size: 1000,
    async *stream() {
      yield Buffer.from('Subject: x\r\n\r\n');
      if (left === 0) throw error;
      left -= 1;
      yield Buffer.from('text\r\n');
    },
  };
}

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

interface RunningHost extends ScriptedHost {
  readonly taken: readonly Taken[];
}

async function host(options: MailHostOptions = {}, place: { path?: string; host?: string; port?: number } = {}) {
  const { script, taken } = mailHost(options);
  const running: RunningHost = Object.assign(await startHost(script, place), { taken });
  open.push(running);
  return running;
}

function agent(options: Partial<RelayOptions> = {}, zone: FixtureZone = {}): DeliveryAgent {
  const made = createRelayAgent({
    name: 'relay.example',
    ownNames: ['relay.example'],
    ownAddresses: [],
    resolver: createFixtureResolver(zone),
    families: [4],
    chance: () => 0,
    now: () => 1000,
    ...options,
  });
  open.push({ [Symbol.asyncDispose]: () => made.close() });
  return made;
}

interface Mail {
  readonly nextHop: NextHop;
  readonly to?: readonly (string | Recipient)[];
  readonly text?: string | Buffer;
  readonly envelope?: Partial<Envelope>;
  readonly streamed?: boolean;
  readonly signal?: AbortSignal;
}

function deliver(relay: DeliveryAgent, mail: Mail): Promise<readonly Outcome[]> {
  const { nextHop, text = 'Subject: x\r\n\r\nhello\r\n', to = ['b@example.test'], streamed = false, envelope } = mail;
  const bytes = Buffer.from(text);
  const recipients = to.map((one) => (typeof one === 'string' ? { address: one } : one));
  return relay.deliver({
    envelope: {
      id: 'q1',
      reversePath: 'a@sender.test',
      recipients,
      receivedAt: 0,
      size: bytes.length,
      body: '7BIT',
      smtputf8: false,
      origin: { clientAddress: 'local' },
      ...envelope,
    },
    recipients,
    content: {
      size: bytes.length,
      ...(streamed ? {} : { bytes }),
      async *stream() {
        yield bytes;
      },
    },
    nextHop,
    signal: mail.signal ?? new AbortController().signal,
  });
}

function smtp({ host: name, port }: { host: string; port: number }, part: object = {}): NextHop {
  return { kind: 'smtp', key: `smtp ${port}`, host: name, port, lookupMx: false, tls: 'none', ...part } as NextHop;
}

const mx: NextHop = { kind: 'mx', key: 'mx:example.test', domain: 'example.test' };

/** Zone in which example.test has one exchanger at each address, in this order. */
function zoneOf(...addresses: string[]): FixtureZone {
  const zone: Record<string, object> = {
    'example.test': { mx: addresses.map((_, index) => [10 * (index + 1), `mx${index}.test`]) },
  };
  for (const [index, address] of addresses.entries()) zone[`mx${index}.test`] = { a: [address] };
  return zone as FixtureZone;
}

/** Hosts on 127.0.0.1, 127.0.0.2 … that share a port, as exchangers do. */
async function exchangers(...options: (MailHostOptions | undefined)[]) {
  const first = await host(options[0]);
  const hosts = [first];
  for (const [index, option] of options.slice(1).entries()) {
    if (option !== undefined) hosts.push(await host(option, { host: `127.0.0.${index + 2}`, port: first.port }));
  }
  return { hosts, port: first.port, zone: zoneOf(...options.map((_, index) => `127.0.0.${index + 1}`)) };
}

describe('the relay agent', () => {
  it('CLI-RPL-1 delivers, defers and fails each recipient by its own reply', async () => {
    const there = await host({
      reply: (verb, line) => {
        if (verb !== 'RCPT') return undefined;
        if (line.includes('full')) return '452 4.2.2 full';
        return line.includes('nobody') ? '550 5.1.1 nobody' : undefined;
      },
    });
    const outcomes = await deliver(agent(), {
      nextHop: smtp(there),
      to: ['one@example.test', 'full@example.test', 'nobody@example.test', 'two@example.test'],
    });
    expect(outcomes.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'delivered 2.1.5',
      'deferred 4.2.2',
      'failed 5.1.1',
      'delivered 2.1.5',
    ]);
    expect(outcomes[0]).toMatchObject({ remoteHost: '[127.0.0.1]', handover: 'without-dsn', at: 1000 });
    expect(there.taken).toMatchObject([
      { rcpt: ['RCPT TO:<one@example.test>', 'RCPT TO:<two@example.test>'], text: 'Subject: x\r\n\r\nhello\r\n' },
    ]);
  });

  it('CLI-MX-7 goes on to the next exchanger when one is down, and names the one that took the mail', async () => {
    const { hosts, port, zone } = await exchangers({}, undefined, {});
    await hosts[0]?.[Symbol.asyncDispose]();
    const outcomes = await deliver(agent({ port }, zone), { nextHop: mx });
    expect(outcomes).toMatchObject([{ kind: 'delivered', remoteHost: 'mx2.test' }]);
    expect(hosts[1]?.taken).toHaveLength(1);
  });

  it('CLI-MX-7 gives recipients that one host defers to the next, but not those it took or refused', async () => {
    const { hosts, port, zone } = await exchangers(
      {
        reply: (verb, line) => {
          if (verb !== 'RCPT') return undefined;
          if (line.includes('later')) return '450 4.2.1 later';
          return line.includes('never') ? '550 5.1.1 never' : undefined;
        },
      },
      {},
    );
    const to = ['now@example.test', 'later@example.test', 'never@example.test'];
    const outcomes = await deliver(agent({ port }, zone), { nextHop: mx, to });
    expect(outcomes.map(({ kind, remoteHost }) => `${kind} ${remoteHost}`)).toEqual([
      'delivered mx0.test',
      'delivered mx1.test',
      'failed mx0.test',
    ]);
    expect(hosts[1]?.taken[0]?.rcpt).toEqual(['RCPT TO:<later@example.test>']);
  });

  it('CLI-RPL-4 REP-521 tries all exchangers, and fails mail only when each refuses all mail with 521 or 554', async () => {
    const refusing = await exchangers({ greeting: '554 no' }, { greeting: '521 no mail here' });
    expect(await deliver(agent({ port: refusing.port }, refusing.zone), { nextHop: mx })).toMatchObject([
      { kind: 'failed', status: '5.3.2' },
    ]);
    expect(refusing.hosts.map(({ sessions }) => sessions.length)).toEqual([1, 1]);
    const mixed = await exchangers({ greeting: '554 no' }, { greeting: '550 not you' });
    expect(await deliver(agent({ port: mixed.port }, mixed.zone), { nextHop: mx })).toMatchObject([
      { kind: 'deferred' },
    ]);
    const busy = await exchangers({ greeting: '421 busy' }, {});
    expect(await deliver(agent({ port: busy.port }, busy.zone), { nextHop: mx })).toMatchObject([
      { kind: 'delivered', remoteHost: 'mx1.test' },
    ]);
  });

  it('CLI-RPL-2 reads a 5yz to MAIL for all recipients of this message and for no other', async () => {
    const there = await host({
      reply: (verb, line) => (verb === 'MAIL' && line.includes('bad@') ? '550 5.7.1 not you' : undefined),
    });
    const relay = agent();
    const refused = await deliver(relay, {
      nextHop: smtp(there),
      to: ['a@example.test', 'b@example.test'],
      envelope: { reversePath: 'bad@sender.test' },
    });
    expect(refused.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['failed 5.7.1', 'failed 5.7.1']);
    expect(await deliver(relay, { nextHop: smtp(there) })).toMatchObject([{ kind: 'delivered' }]);
  });

  it('ENH-4/4.4.1 CLI-RTY-3 says 4.4.1 when nothing answers, and asks a dead host only once in a while', async () => {
    const there = await host();
    await there[Symbol.asyncDispose]();
    const relay = agent();
    expect(await deliver(relay, { nextHop: smtp(there) })).toMatchObject([{ kind: 'deferred', status: '4.4.1' }]);
    const again = await host({}, { port: there.port });
    expect(await deliver(relay, { nextHop: smtp(there) })).toMatchObject([{ kind: 'deferred', status: '4.4.1' }]);
    expect(again.sessions).toHaveLength(0);
    expect(await deliver(agent({ deadTime: 0 }), { nextHop: smtp(there) })).toMatchObject([{ kind: 'delivered' }]);
  });

  it('CLI-DUP-2 defers with 4.4.2 when the connection breaks behind the dot, and asks no other host', async () => {
    const { hosts, port, zone } = await exchangers({ reply: (verb) => (verb === 'text' ? 'drop' : undefined) }, {});
    expect(await deliver(agent({ port }, zone), { nextHop: mx })).toMatchObject([
      { kind: 'deferred', status: '4.4.2', remoteHost: 'mx0.test' },
    ]);
    expect(hosts[1]?.sessions).toHaveLength(0);
  });

  it.each([
    ['text', 2],
    ['DATA', 1],
  ])(
    'EX-13 CLI-DUP-2 sends again what was cut off at %s: then the host has %i copies, and never none',
    async (step, copies) => {
      let cut = false;
      const texts: string[] = [];
      const there = await host({
        reply: (verb, line) => {
          if (verb === 'text') texts.push(line);
          if (verb !== step || cut) return undefined;
          cut = true;
          return 'drop';
        },
      });
      const relay = agent();
      expect(await deliver(relay, { nextHop: smtp(there) })).toMatchObject([{ kind: 'deferred', status: '4.4.2' }]);
      expect(await deliver(relay, { nextHop: smtp(there) })).toMatchObject([{ kind: 'delivered' }]);
      expect(texts).toEqual(Array.from({ length: copies }, () => 'Subject: x\r\n\r\nhello\r\n'));
    },
  );

  it('CLI-LOOP-2 ENH-4/5.4.6 fails mail for exchangers that turn out to be this host', async () => {
    const { port, zone } = await exchangers({ greeting: '220 RELAY.example ready' });
    expect(await deliver(agent({ port }, zone), { nextHop: mx })).toMatchObject([{ kind: 'failed', status: '5.4.6' }]);
  });

  it('CLI-RPL-6 EXT-PIPE-4 carries many messages over few connections', async () => {
    const there = await host();
    const relay = agent({ limits: { connections: 2 } });
    const jobs = Array.from({ length: 40 }, () => deliver(relay, { nextHop: smtp(there) }));
    const outcomes = (await Promise.all(jobs)).flat();
    expect(outcomes.every(({ kind }) => kind === 'delivered')).toBe(true);
    expect(there.taken).toHaveLength(40);
    expect(there.sessions).toHaveLength(2);
  });

  it('CLI-RPL-6 goes on over the connections it has when a host wants no more of them', async () => {
    const there = await host({
      reply: (verb, _line, session) => (verb === 'greeting' && session > 1 ? '421 4.7.0 too many' : undefined),
    });
    const relay = agent({ limits: { connections: 10 } });
    for (let round = 0; round < 3; round += 1) {
      const jobs = Array.from({ length: 20 }, () => deliver(relay, { nextHop: smtp(there) }));
      expect((await Promise.all(jobs)).flat().every(({ kind }) => kind === 'delivered')).toBe(true);
    }
    expect(there.taken).toHaveLength(60);
  });

  it('EX-17 takes each next hop its own transaction, in a session that ends with QUIT', async () => {
    const [one, two] = [await host(), await host({}, { host: '127.0.0.2' })];
    const relay = agent();
    await deliver(relay, { nextHop: smtp(one), to: ['b@one.test'] });
    await deliver(relay, { nextHop: smtp(two), to: ['c@two.test'] });
    await relay.close();
    const verbs = [...one.sessions, ...two.sessions].map(({ lines }) =>
      lines.filter((line) => /^(?:EHLO|MAIL|RCPT|DATA|QUIT)/.test(line)).map((line) => line.slice(0, 4)),
    );
    expect(verbs).toEqual([
      ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'],
      ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'],
    ]);
    expect([one, two].map(({ taken }) => taken[0]?.rcpt)).toEqual([['RCPT TO:<b@one.test>'], ['RCPT TO:<c@two.test>']]);
  });

  it('CMD-AUTH-21 CMD-TLS-2 secures the way as the next hop says: any TLS, or a verified one for a password', async () => {
    const logins: string[] = [];
    const server = createServer({
      hostname: 'mx.example.test',
      tls: testCertificate,
      handlers: {
        async authenticate(_session, { user, password }) {
          logins.push(user);
          return password === 'secret' ? { login: user } : reply(535, '5.7.8', 'no');
        },
        async message(_session, _transaction, text) {
          for await (const piece of text) void piece;
          return reply(250, '2.0.0', 'taken');
        },
      },
    });
    open.push({ [Symbol.asyncDispose]: () => server.close({ grace: 0 }) });
    const place = async (role: 'mx' | 'submission') => {
      const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
      return { host: '127.0.0.1', port: 'port' in address ? address.port : 0 };
    };
    const [exchanger, submission] = [await place('mx'), await place('submission')];
    const tlsMaterial = { ca: testCertificate.cert };
    const login = { user: 'alice', password: 'secret' };
    const results: string[] = [];
    for (const [relay, nextHop] of [
      [agent(), smtp(exchanger, { tls: 'opportunistic' })],
      [agent(), smtp(exchanger, { tls: 'starttls' })],
      [agent(), smtp(submission, { tls: 'starttls', login })],
      [agent(), smtp(submission, { tls: 'opportunistic', login })],
      [agent({ tlsMaterial }), smtp(submission, { tls: 'starttls', login })],
      [agent({ tlsMaterial }), smtp(submission, { tls: 'starttls', login: { ...login, password: 'wrong' } })],
    ] as const) {
      const [outcome] = await deliver(relay, { nextHop });
      results.push(`${outcome?.kind} ${outcome?.status}`);
    }
    expect(results).toEqual([
      'delivered 2.1.5',
      'deferred 4.7.5',
      'deferred 4.7.5',
      'deferred 4.7.8',
      'delivered 2.1.5',
      'deferred 4.7.8',
    ]);
    expect(logins).toEqual(['alice', 'alice']);
  });

  it('CLI-PARM-2 DSN-21 hands wishes for reports on to hosts with DSN, unchanged, and to no others', async () => {
    const wishes: Mail = {
      nextHop: mx,
      to: [{ address: 'b@example.test', notify: ['SUCCESS', 'DELAY'], originalRecipient: 'rfc822;B+old@example.test' }],
      envelope: { ret: 'HDRS', envelopeId: 'id=1' },
    };
    const knowing = await host({ offers: ['PIPELINING', 'DSN'] });
    const outcomes = await deliver(agent(), { ...wishes, nextHop: smtp(knowing) });
    expect(outcomes).toMatchObject([{ kind: 'delivered', handover: 'with-dsn' }]);
    expect(knowing.taken).toMatchObject([
      {
        mail: 'MAIL FROM:<a@sender.test> RET=HDRS ENVID=id+3D1',
        rcpt: ['RCPT TO:<b@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2Bold@example.test'],
      },
    ]);
    const simple = await host({ offers: ['PIPELINING'] });
    expect(await deliver(agent(), { ...wishes, nextHop: smtp(simple) })).toMatchObject([{ handover: 'without-dsn' }]);
    expect(simple.taken).toMatchObject([{ mail: 'MAIL FROM:<a@sender.test>', rcpt: ['RCPT TO:<b@example.test>'] }]);
  });

  it('EXT-SIZE-4 does not even offer a message that is over the size a host takes', async () => {
    const there = await host({ offers: ['SIZE 20'] });
    expect(await deliver(agent(), { nextHop: smtp(there) })).toMatchObject([{ kind: 'failed', status: '5.3.4' }]);
    expect(there.sessions[0]?.lines.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  it('EXT-UTF8-3 ENH-6/5.6.7 ENH-6/5.6.9 tries other exchangers for mail that needs SMTPUTF8 and fails it when none has that', async () => {
    const mail: Mail = { nextHop: mx, to: ['é@example.test'], envelope: { smtputf8: true } };
    const some = await exchangers({}, { offers: ['SMTPUTF8', '8BITMIME'] });
    expect(await deliver(agent({ port: some.port }, some.zone), mail)).toMatchObject([
      { kind: 'delivered', remoteHost: 'mx1.test' },
    ]);
    expect(some.hosts[1]?.taken[0]?.mail).toBe('MAIL FROM:<a@sender.test> SMTPUTF8');
    const none = await exchangers({}, {});
    expect(await deliver(agent({ port: none.port }, none.zone), mail)).toMatchObject([
      { kind: 'failed', status: '5.6.7' },
    ]);
    const header = { ...mail, to: ['b@example.test'], text: 'Subject: é\r\n\r\nx\r\n' };
    expect(await deliver(agent({ port: none.port }, none.zone), header)).toMatchObject([
      { kind: 'failed', status: '5.6.9' },
    ]);
  });

  it('EXT-UTF8-3 EXT-UTF8-11 drops SMTPUTF8 where neither an address nor the header needs it', async () => {
    const there = await host({ offers: ['SMTPUTF8', '8BITMIME'] });
    for (const streamed of [false, true]) {
      const text = 'Subject: x\r\n\r\né\r\n';
      expect(
        await deliver(agent(), {
          nextHop: smtp(there),
          text,
          streamed,
          envelope: { smtputf8: true, body: '8BITMIME' },
        }),
      ).toMatchObject([{ kind: 'delivered' }]);
    }
    expect(there.taken.map(({ mail }) => mail)).toEqual([
      'MAIL FROM:<a@sender.test> BODY=8BITMIME',
      'MAIL FROM:<a@sender.test> BODY=8BITMIME',
    ]);
  });

  it('EXT-8BIT-2 CLI-DATA-4 sends 8-bit text and long lines as they are only to hosts that take them, and converts them for others', async () => {
    const header = 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n';
    const eightBit = `${header}Content-Transfer-Encoding: 8bit\r\n\r\né\r\n`;
    const long = `${header}\r\n${'x'.repeat(2000)}\r\n`;
    const able = await host({ offers: ['8BITMIME', 'CHUNKING', 'BINARYMIME'] });
    const eightOnly = await host({ offers: ['8BITMIME'] });
    const simple = await host({ offers: [] });
    for (const there of [able, eightOnly, simple]) {
      for (const text of [eightBit, long]) {
        for (const streamed of [false, true]) {
          const mail: Mail = { nextHop: smtp(there), text, streamed, envelope: { body: '8BITMIME' } };
          expect(await deliver(agent(), mail)).toMatchObject([{ kind: 'delivered' }]);
        }
      }
    }
    const sent = (there: RunningHost) => there.taken.map(({ mail, text }) => ({ mail, text }));
    const from = 'MAIL FROM:<a@sender.test>';
    const latin = Buffer.from(eightBit).toString('latin1');
    expect(sent(able)).toEqual([
      { mail: `${from} BODY=8BITMIME`, text: latin },
      { mail: `${from} BODY=8BITMIME`, text: latin },
      { mail: `${from} BODY=BINARYMIME`, text: long },
      { mail: `${from} BODY=BINARYMIME`, text: long },
    ]);
    expect(sent(eightOnly).slice(0, 2)).toEqual(sent(able).slice(0, 2));
    for (const { mail, text } of [...sent(eightOnly).slice(2), ...sent(simple)]) {
      expect([from, `${from} BODY=8BITMIME`]).toContain(mail);
      expect(text).toContain('Content-Transfer-Encoding: quoted-printable');
      expect(text).toMatch(/^[\r\n -~]*$/);
      expect(text.split('\r\n').every((line) => line.length <= 998)).toBe(true);
    }
    expect(simple.taken.map(({ mail }) => mail)).toEqual([from, from, from, from]);
    expect(simple.taken[0]?.text).toContain('=C3=A9');
  });

  it('EXT-8BIT-2 EXT-CHUNK fails what is signed rather than to convert it', async () => {
    const signed = [
      'MIME-Version: 1.0',
      'Content-Type: multipart/signed; boundary=b; protocol="application/pgp-signature"; micalg=pgp-sha256',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'é',
      '--b',
      'Content-Type: application/pgp-signature',
      '',
      'x',
      '--b--',
      '',
    ].join('\r\n');
    const simple = await exchangers({ offers: [] }, { offers: ['8BITMIME'] });
    const mail: Mail = { nextHop: mx, text: signed, envelope: { body: '8BITMIME' } };
    // Another exchanger may take it as it is.
    expect(await deliver(agent({ port: simple.port }, simple.zone), mail)).toMatchObject([
      { kind: 'delivered', remoteHost: 'mx1.test' },
    ]);
    const none = await exchangers({ offers: [] }, { offers: [] });
    expect(await deliver(agent({ port: none.port }, none.zone), mail)).toMatchObject([
      { kind: 'failed', status: '5.6.2' },
    ]);
    expect(none.hosts.flatMap(({ taken }) => taken)).toEqual([]);
  });

  it('defers mail whose text cannot be read now', async () => {
    const there = await host();
    for (const good of [0, 1]) {
      const job = jobOf({ nextHop: smtp(there) });
      const content = contentThatBreaks(good, new Failure('storage', 'disk'));
      expect(await agent().deliver({ ...job, content })).toMatchObject([{ kind: 'deferred', status: '4.3.0' }]);
    }
    expect(there.taken).toEqual([]);
  });

  it('sends the null reverse-path, and a text in pieces', async () => {
    const there = await host();
    const text = `Subject: x\r\n\r\n${'.line of text\r\n'.repeat(50_000)}`;
    expect(
      await deliver(agent(), { nextHop: smtp(there), text, streamed: true, envelope: { reversePath: '' } }),
    ).toMatchObject([{ kind: 'delivered' }]);
    expect(there.taken[0]?.mail).toBe(`MAIL FROM:<> SIZE=${text.length}`);
    expect(there.taken[0]?.text === text).toBe(true);
  });

  it('ends with what it knows when the job is aborted', async () => {
    let asked: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const silent = await startHost(async (session) => {
      session.send('220 mx.example');
      await session.line();
      asked();
      await session.gone();
    });
    open.push(silent);
    const stop = new AbortController();
    const outcomes = deliver(agent(), { nextHop: smtp(silent), signal: stop.signal });
    await waiting;
    stop.abort();
    expect(await outcomes).toMatchObject([{ kind: 'deferred' }]);
  });

  it('LMTP-6 keeps what was answered when an LMTP host breaks off, and defers the rest', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-'));
    open.push({ [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) });
    const path = join(directory, 'lmtp.sock');
    await host(
      {
        lmtp: true,
        reply: (verb, line) => {
          if (verb !== 'text') return undefined;
          if (line.includes('two')) return '452 4.2.2 full';
          return line.includes('three') ? 'drop' : undefined;
        },
      },
      { path },
    );
    const nextHop: NextHop = { kind: 'lmtp', key: 'lmtp', path, lookupMx: false, tls: 'none' };
    const to = ['one@example.test', 'two@example.test', 'three@example.test', 'four@example.test'];
    const outcomes = await deliver(agent(), { nextHop, to });
    expect(outcomes.map(({ kind, status, handover }) => `${kind} ${status} ${handover}`)).toEqual([
      'delivered 2.1.5 final',
      'deferred 4.2.2 undefined',
      'deferred 4.4.2 undefined',
      'deferred 4.4.2 undefined',
    ]);
  });

  it('says what becomes of mail for which there is no host', async () => {
    expect(await deliver(agent(), { nextHop: mx, to: ['a@example.test', 'b@example.test'] })).toMatchObject([
      { kind: 'failed', status: '5.1.2' },
      { kind: 'failed', status: '5.1.2' },
    ]);
  });
});

for (const kind of ['smtp', 'lmtp'] as const) {
  describeDeliveryAgent(`the relay agent by ${kind}`, async () => {
    const offers = ['PIPELINING', '8BITMIME', 'CHUNKING', 'BINARYMIME'];
    const { script, taken } = mailHost({ offers, lmtp: kind === 'lmtp' });
    const there = await startHost(script);
    const relay = createRelayAgent({
      name: 'relay.example',
      ownNames: [],
      ownAddresses: [],
      resolver: createFixtureResolver({}),
      families: [4],
      chance: () => 0,
      now: () => 1000,
    });
    return {
      agent: relay,
      nextHop: { kind, key: kind, host: there.host, port: there.port, lookupMx: false, tls: 'none' },
      arrived: async () => taken.map(({ text }) => text.replaceAll('\r\n', '\n')),
      async [Symbol.asyncDispose]() {
        await relay.close();
        await there[Symbol.asyncDispose]();
      },
    };
  });
}
