import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { tryAsStranger } from '../../src/mta/stranger-trial.ts';
import { field, packet, startMilter } from '../filters/scripted-milter.ts';
import { configOf, mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startSubmission, submit } from './submission-agent.ts';

type Filters = NonNullable<ConfigInput['contentFilters']>;

const text = 'From: bob@example.com\r\nSubject: one\r\n\r\nthe body\r\n';
const agentWith = (contentFilters: Filters, more: Partial<ConfigInput> = {}) =>
  startTestAgent(() => ({ contentFilters, ...more }));

interface Served extends AsyncDisposable {
  readonly address: string;
}

async function serve(
  server: {
    listen(port: number, host: string, done: () => void): unknown;
    address(): unknown;
    close(done: () => void): unknown;
  },
  end: () => void = () => {},
): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      end();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

/** An Rspamd that gives one answer to all, or none. */
async function startRspamd(answer: { status?: number; body: string } | undefined) {
  const asked: { headers: IncomingHttpHeaders; raw: string[]; text: string; url: string }[] = [];
  const server = createHttpServer((request, reply) => {
    let said = '';
    request.setEncoding('latin1').on('data', (piece: string) => {
      said += piece;
    });
    request.on('end', () => {
      asked.push({ headers: request.headers, raw: request.rawHeaders, text: said, url: request.url ?? '' });
      if (answer !== undefined) reply.writeHead(answer.status ?? 200).end(answer.body);
    });
  });
  return { asked, ...(await serve(server, () => server.closeAllConnections())) };
}

/** A ClamAV that gives one answer to all, or none. */
async function startClamav(answer: string | undefined) {
  const streams: Buffer[] = [];
  const server = createServer((socket) => {
    let input = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      input = Buffer.concat([input, piece]);
      if (!input.subarray(-4).equals(Buffer.alloc(4))) return;
      const pieces: Buffer[] = [];
      for (let at = 'zINSTREAM\0'.length; at < input.length - 4; at += 4 + input.readUInt32BE(at)) {
        pieces.push(input.subarray(at + 4, at + 4 + input.readUInt32BE(at)));
      }
      streams.push(Buffer.concat(pieces));
      if (answer !== undefined) socket.write(answer);
    });
  });
  return { streams, ...(await serve(server)) };
}

describe('Rspamd', () => {
  it('is told who sends what to whom, and what it says is done', async () => {
    const body = JSON.stringify({ action: 'no action', milter: { add_headers: { 'X-Seen': 'yes' } } });
    await using rspamd = await startRspamd({ body });
    await using test = await agentWith([{ kind: 'rspamd', address: rspamd.address }]);
    const [reply = ''] = await sendMail(test.port, {
      from: '<bob@example.com> SMTPUTF8',
      to: ['<ann@example.org>', `<${Buffer.from('bücher').toString('latin1')}@example.org>`],
      text,
    });
    const id = / queued as (\w+)/.exec(reply)?.[1];
    const [asked] = rspamd.asked;
    expect(asked?.url).toBe('/checkv2');
    expect(asked?.text).toBe(text);
    expect(asked?.headers).toMatchObject({
      from: 'bob@example.com',
      ip: '127.0.0.1',
      helo: 'client.example',
      'queue-id': id,
      'content-length': String(text.length),
    });
    const values = asked?.raw.filter((_, at, all) => all[at - 1] === 'Rcpt');
    expect(values?.map((value) => Buffer.from(value, 'latin1').toString())).toEqual([
      'ann@example.org',
      'bücher@example.org',
    ]);
    expect((await mailIn(test, 'ann', 1))[0]).toMatch(/^X-Seen: yes\r?$/m);
  });

  it('holds back what it wants to have looked at', async () => {
    await using rspamd = await startRspamd({ body: JSON.stringify({ action: 'quarantine' }) });
    await using test = await agentWith([{ kind: 'rspamd', address: rspamd.address }]);
    const [reply = ''] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect((await test.agent.store.get(/ queued as (\w+)/.exec(reply)?.[1] ?? ''))?.state.held).toBe(true);
  });

  it.each<[string, { status?: number; body: string } | undefined]>([
    ['is silent', undefined],
    ['says that it has failed', { status: 500, body: '{}' }],
    ['says what is no judgement', { body: '[]' }],
    ['talks without an end', { body: ' '.repeat(2 ** 20 + 1) }],
  ])('costs what its fallback says when it %s', async (_, answer) => {
    await using rspamd = await startRspamd(answer);
    for (const [fallback, code] of [
      ['accept', '250'],
      ['tempfail', '451'],
      ['reject', '550'],
    ] as const) {
      const times = { message: '300ms' };
      await using test = await agentWith([{ kind: 'rspamd', address: rspamd.address, fallback, times }]);
      const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
      expect(reply?.slice(0, 3)).toBe(code);
      expect(test.log.lines.map((line) => line.text)).toContain('a filter cannot be asked');
    }
  });
});

describe('ClamAV', () => {
  it('is shown a message without the trace, up to its limit', async () => {
    await using clamav = await startClamav('stream: OK\0');
    await using test = await agentWith([{ kind: 'clamav', address: clamav.address, limit: '600KB' }]);
    const long = `Subject: x\r\n\r\n${'0123456789abcde\r\n'.repeat(60_000)}`;
    for (const each of [text, long]) {
      const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text: each });
      expect(reply).toMatch(/^250/);
    }
    expect(clamav.streams[0]?.toString()).toBe(text);
    const limit = clamav.streams[1]?.length ?? 0;
    expect([600_000, 614_400]).toContain(limit);
    expect(clamav.streams[1]?.toString('latin1')).toBe(long.slice(0, limit));
  });

  it.each([undefined, 'INSTREAM size limit exceeded. ERROR\0', 'x'.repeat(5000), 'stream: \0'])(
    'costs what its fallback says when it says %j',
    async (answer) => {
      await using clamav = await startClamav(answer);
      for (const [fallback, code] of [
        ['accept', '250'],
        ['tempfail', '451'],
        ['reject', '550'],
      ] as const) {
        const times = { message: '300ms' };
        await using test = await agentWith([{ kind: 'clamav', address: clamav.address, fallback, times }]);
        const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
        expect(reply?.slice(0, 3)).toBe(code);
      }
    },
  );

  it('costs that, too, when nobody is there', async () => {
    const gone = await startClamav(undefined);
    await gone[Symbol.asyncDispose]();
    await using test = await agentWith([{ kind: 'clamav', address: gone.address }]);
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^451 4\.7\.1/);
  });
});

describe('filters', () => {
  it('are asked in their order, each about what those before have made of it, until one refuses', async () => {
    const change = ({ letter }: { letter: string }) =>
      letter === 'E' ? [field('h', 'X-One', 'yes'), packet('c')] : undefined;
    await using milter = await startMilter({ answer: change });
    await using rspamd = await startRspamd({ body: JSON.stringify({ action: 'reject' }) });
    await using clamav = await startClamav('stream: OK\0');
    await using test = await agentWith([
      { kind: 'milter', address: milter.address },
      { kind: 'rspamd', address: rspamd.address },
      { kind: 'clamav', address: clamav.address },
    ]);
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^554 5\.7\.1/);
    expect(rspamd.asked[0]?.text).toContain('\r\nX-One: yes\r\n\r\nthe body');
    expect(clamav.streams).toEqual([]);
  });

  it('DSN-18 write marks that are judged like those of a filter before this server', async () => {
    const mark = ({ letter }: { letter: string }) =>
      letter === 'E' ? [field('h', 'X-Virus-Status', 'Infected'), packet('c')] : undefined;
    await using milter = await startMilter({ answer: mark });
    await using test = await agentWith([{ kind: 'milter', address: milter.address }], {
      hostile: [{ field: 'X-Virus-Status', value: 'Infected' }],
    });
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^554 5\.7\.1/);
  });

  it('are asked about the mail of their listeners alone, and told of TLS and of a login', async () => {
    await using incoming = await startMilter();
    await using outgoing = await startMilter();
    await using agent = await startSubmission({
      contentFilters: [
        { kind: 'milter', address: incoming.address, roles: ['mx'] },
        { kind: 'milter', address: outgoing.address, roles: ['submission'] },
      ],
    });
    await sendMail(agent.mx, { to: ['<alice@example.org>'], text });
    expect([incoming.connections(), outgoing.connections()]).toEqual([1, 0]);
    const header = ['From: <alice@example.org>', 'Subject: x'];
    await submit(agent.submission, { user: 'alice', from: 'alice@example.org', to: ['bob@example.net'], header });
    expect([incoming.connections(), outgoing.connections()]).toEqual([1, 1]);
    expect(outgoing.macros.get('C')).toMatchObject({ '{daemon_name}': 'submission' });
    expect(outgoing.macros.get('H')).toMatchObject({ '{tls_version}': 'TLSv1.3' });
    expect(outgoing.macros.get('M')).toMatchObject({ '{auth_authen}': 'alice', '{auth_type}': 'SASL' });
    const names = outgoing.seen.filter(({ letter }) => letter === 'L').map(({ texts }) => texts[0]);
    // What a submission is completed with is there already, so that it can be signed.
    expect(names).toContain('Message-ID');
  });

  it('are not asked when a configuration is tried', async () => {
    await using milter = await startMilter();
    const config = configOf({
      hostname: 'mx.example.org',
      dataDir: '/nonexistent',
      listeners: [{ role: 'mx' }],
      domains: { 'example.org': { deliver: 'maildir:/nonexistent/{local}', mailboxes: '*' } },
      contentFilters: [{ kind: 'milter', address: milter.address }],
    });
    expect((await tryAsStranger(config)).length).toBeGreaterThan(0);
    expect(milter.connections()).toBe(0);
  });

  it('are followed by nothing where there are none', async () => {
    await using test = await startTestAgent();
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^250/);
  });

  it.each<[object, string]>([
    [{ kind: 'milter' }, 'contentFilters[0].address'],
    [{ kind: 'milter', address: 'localhost' }, 'contentFilters[0].address'],
    [{ kind: 'milter', address: '127.0.0.1:0' }, 'contentFilters[0].address'],
    [{ kind: 'milter', address: 'relative.sock' }, 'contentFilters[0].address'],
    [{ kind: 'other', address: '127.0.0.1:1' }, 'contentFilters[0].kind'],
    [{ kind: 'clamav', action: 'bounce' }, 'contentFilters[0].action'],
    [{ kind: 'rspamd', fallback: 'pass' }, 'contentFilters[0].fallback'],
    [{ kind: 'rspamd', roles: [] }, 'contentFilters[0].roles'],
  ])('are refused in a configuration when they are wrong: %j', (filter, path) => {
    const checked = checkConfig({
      hostname: 'mx.example.org',
      dataDir: '/tmp/none',
      listeners: [{ role: 'mx' }],
      contentFilters: [filter],
    });
    expect('mistakes' in checked ? checked.mistakes.map((mistake) => mistake.path) : []).toContain(path);
  });
});
