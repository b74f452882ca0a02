import { openConnection } from '@posthorn/smtp/client/open-connection';
import { Failure } from '@posthorn/smtp/failure/failure';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type ExtensionRules, type ServerHandlers, type Transaction } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../laws/test-certificate.ts';

const now = Date.UTC(2026, 10, 25);

/** A server on a free port, and what its message handler was given. */
async function open(extensions: ExtensionRules, handlers: Partial<ServerHandlers> = {}) {
  const seen: Transaction[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    extensions,
    now: () => now,
    handlers: {
      authenticate: async (_session, { user }) => ({ login: user }),
      async message(_session, transaction) {
        seen.push(structuredClone(transaction) as Transaction);
        return reply(250, '2.0.0', 'Ok');
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  return {
    seen,
    async connect(role: 'mx' | 'submission') {
      const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
      const connection = await openConnection({
        host: '127.0.0.1',
        port: 'port' in address ? address.port : 0,
        serverName: 'localhost',
        tls: 'starttls',
        tlsMaterial: { ca: testCertificate.cert },
        ...(role === 'mx' ? {} : { credentials: { user: 'ann', password: 'x' } }),
      });
      onTestFinished(() => connection.close());
      return connection;
    },
  };
}

describe('the extensions of a server', () => {
  it('EXT-DBY-1 EXT-PRI-1 EXT-NOSOL-1 EXT-MTRK-1 EXT-CKPT-1 EXT-RTLS-1 EXT-RRVS-1 reach its handlers as the client has typed them', async () => {
    const { connect, seen } = await open({
      deliverBy: { minimum: 10 },
      priority: { policy: 'NSEP' },
      noSoliciting: { refused: ['net.example:ADV'] },
      rrvs: true,
      requireTls: true,
      tracking: true,
      checkpoint: true,
    });
    const connection = await connect('mx');
    expect(connection.capabilities).toMatchObject({
      deliverByMinimum: 10,
      priorityPolicy: 'NSEP',
      refusedSolicitation: ['net.example:ADV'],
    });
    expect(connection.capabilities.longestHold).toBeUndefined();
    const mail = {
      deliverBy: { seconds: 3600, mode: 'R', trace: true },
      priority: 4,
      solicit: ['org.example:NEWS'],
      envelopeId: '1@example.org',
      tracking: { certifier: '7R7AfBHMTnZ+qrDWiKsvUr0Vj/E', timeout: 864_000 },
      requireTls: true,
    } as const;
    const rrvs = { since: Date.UTC(2020, 0, 1), fallback: 'C' } as const;
    const result = await connection.send({
      envelope: { from: 'a@example.org', to: [{ address: 'b@example.com', rrvs }, 'c@example.com'], mail },
      text: 'Hi\n',
    });
    expect(result.ok).toBe(true);
    expect(result.offered.has('DELIVERBY')).toBe(true);
    expect(seen[0]?.mail).toMatchObject(mail);
    expect(seen[0]?.recipients.map(({ parameters }) => parameters)).toEqual([{ rrvs }, {}]);
  });

  it('EXT-FUT-1 hold mail on submission, up to the time that the client was told', async () => {
    const { connect, seen } = await open({ futureRelease: { longest: 3600 } });
    const connection = await connect('submission');
    expect(connection.capabilities.longestHold).toEqual({ seconds: 3600, until: now + 3_600_000 });
    const send = (hold: { for: number } | { until: number }) =>
      connection.send({ envelope: { from: 'a@example.org', to: ['b@example.com'], mail: { hold } }, text: 'Hi\n' });
    expect(await send({ for: 3600 })).toMatchObject({ ok: true });
    expect(await send({ until: now + 3_600_000 })).toMatchObject({ ok: true });
    expect(await send({ until: now + 3_601_000 })).toMatchObject({
      recipients: [{ kind: 'refused', status: '5.5.4' }],
    });
    expect(seen.map(({ mail }) => mail.hold)).toEqual([{ for: 3600 }, { until: now + 3_600_000 }]);
  });

  it('EXT-FUT-1 EXT-DBY-4 EXT-RRVS-2 EXT-RTLS-2 that are not there keep back what needs them', async () => {
    const { connect, seen } = await open({});
    const connection = await connect('mx');
    const to = ['b@example.com'];
    const lacks = await Promise.all(
      [
        { mail: { hold: { for: 60 } }, to },
        { mail: { deliverBy: { seconds: 60, mode: 'R' as const } }, to },
        { mail: { requireTls: true as const }, to },
        { to: [{ address: 'b@example.com', rrvs: { since: 0, fallback: 'R' as const } }] },
      ].map((envelope) => connection.send({ envelope: { from: 'a@example.org', ...envelope }, text: 'Hi\n' })),
    );
    expect(
      lacks.map(({ recipients }) => recipients.map(({ kind, status, failure }) => [kind, status, failure?.kind])),
    ).toEqual([
      [['refused', '5.3.3', 'invalid']],
      [['refused', '5.3.3', 'invalid']],
      [['refused', '5.7.30', 'invalid']],
      [['refused', '5.7.19', 'invalid']],
    ]);
    expect(seen).toEqual([]);
  });

  it('REP-455 let a handler say that it cannot keep to a parameter for now, and forget nothing else', async () => {
    const { connect, seen } = await open(
      { deliverBy: {}, rrvs: true },
      {
        mail: (_session, { mail }) =>
          mail.deliverBy === undefined ? undefined : reply(455, '4.3.2', 'Nobody is timely today'),
        recipient: (_session, { parameters }) =>
          parameters.rrvs === undefined ? undefined : reply(455, '4.3.0', 'Nobody knows the owners now'),
      },
    );
    const connection = await connect('mx');
    const text = 'Hi\n';
    const mail = { deliverBy: { seconds: 60, mode: 'N' } } as const;
    const first = await connection.send({ envelope: { from: 'a@example.org', to: ['b@example.com'], mail }, text });
    expect(first.recipients).toMatchObject([
      { kind: 'deferred', phase: 'mail', reply: { code: 455, status: '4.3.2' } },
    ]);
    const rrvs = { since: 0, fallback: 'R' } as const;
    const to = [{ address: 'b@example.com', rrvs }, 'c@example.com'];
    const second = await connection.send({ envelope: { from: 'a@example.org', to }, text });
    expect(second.recipients).toMatchObject([
      { kind: 'deferred', phase: 'rcpt', reply: { code: 455, status: '4.3.0' } },
      { kind: 'accepted' },
    ]);
    expect(seen.map(({ recipients }) => recipients.length)).toEqual([1]);
  });

  it.each([
    { deliverBy: { minimum: -1 } },
    { deliverBy: { minimum: 1e9 } },
    { futureRelease: { longest: 0 } },
    { futureRelease: { longest: 1.5 } },
    { priority: { policy: 'two words' } },
    { priority: { policy: 'x'.repeat(21) } },
    { noSoliciting: { refused: ['a b'] } },
    { noSoliciting: { refused: ['ok', 'a\r\nb'] } },
  ])('that no reply could tell of are refused: %j', (extensions) => {
    const handlers = { message: async () => reply(250, '2.0.0', 'Ok') };
    expect(() => createServer({ hostname: 'x.test', handlers, extensions })).toThrow(Failure);
  });
});

describe('what a client cannot ask for', () => {
  it.each([
    { mail: { deliverBy: { seconds: 0, mode: 'R' as const } } },
    { mail: { deliverBy: { seconds: 60, mode: 'R\r\nDATA' as 'R' } } },
    { mail: { hold: { for: 0 } } },
    { mail: { hold: { for: 1, until: now } } },
    { mail: { priority: 10 } },
    { mail: { solicit: ['a b'] } },
    { mail: { transactionId: '<a@b>' } },
    { mail: { tracking: { certifier: '7R7AfBHMTnZ+qrDWiKsvUr0Vj/E' } } },
    { mail: { tracking: { certifier: 'short' }, envelopeId: 'a@b' } },
    { mail: { unknown: 1 } as object },
  ])(
    'EXT-DBY-1 EXT-FUT-1 EXT-PRI-3 EXT-NOSOL-1 EXT-CKPT-1 EXT-MTRK-1 is refused before anything is sent: %j',
    async (part) => {
      const { connect } = await open({});
      const connection = await connect('mx');
      const sent = connection.send({ envelope: { from: 'a@example.org', to: ['b@example.com'], ...part }, text: 'x' });
      await expect(sent).rejects.toMatchObject({ kind: 'invalid' });
    },
  );
});
