import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import { type TrackedHop, trackMessage } from '@posthorn/smtp/tracking';
import { expect, it } from 'vitest';
import { runCommand } from '../../packages/posthorn/src/cli/run-command.ts';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import type { QueuedMessage } from '../../packages/posthorn/src/queue/queue-store.ts';
import { fakeTerminal } from '../../packages/posthorn/test/cli/fake-terminal.ts';
import { mailIn, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { type HostName, placeOf, startNames, startPosthornAt } from './network.ts';
import { type Authority, createAuthority } from './peers/authority.ts';
import { startDnsmasq } from './peers/dnsmasq.ts';
import { hasPeers } from './peers/peer.ts';

/** Starts a Posthorn that has every extension, a certificate of the authority, and answers to who tracks mail. */
function startFullPosthorn(
  host: HostName,
  { dns, authority, change = {} }: { dns: string; authority: Authority; change?: Partial<ConfigInput> },
): Promise<TestAgent> {
  const { host: address } = placeOf(host);
  return startPosthornAt(host, dns, () => ({
    listeners: [
      { role: 'mx', ...placeOf(host) },
      { role: 'mtqp', host: address, port: 1038 },
    ],
    tls: authority.certify(`mx.${host}.example`, address),
    authorities: authority.file,
    extensions: {
      deliverBy: { minimum: '1s' },
      priority: { policy: 'MIXER', trusted: ['127.0.0.0/8'] },
      noSoliciting: [],
      ownership: true,
    },
    ...change,
  }));
}

/** Runs a command of Posthorn that has to go well; its output. */
async function run(folder: string, ...words: string[]): Promise<string> {
  const terminal = fakeTerminal({ folder });
  const code = await runCommand(words, terminal);
  expect({ words, code, said: terminal.said() }).toEqual({ words, code: 0, said: '' });
  return terminal.output();
}

/** What the one message in a queue is, as the command line tells it. */
async function queuedAt(agent: TestAgent): Promise<QueuedMessage> {
  await expect.poll(() => agent.agent.store.count(), { timeout: 10_000 }).toBe(1);
  const { hostname, dataDir, dns } = agent.config;
  writeFileSync(
    join(agent.folder, 'posthorn.json'),
    JSON.stringify({ hostname, dataDir, dns, listeners: [{ role: 'mx' }] }),
  );
  const lines = await run(agent.folder, 'queue', 'list', '--json', '--config', 'posthorn.json');
  const { envelope } = JSON.parse(lines) as QueuedMessage;
  return JSON.parse(await run(agent.folder, 'queue', 'show', envelope.id, '--json', '--config', 'posthorn.json'));
}

const asked = {
  from: 'ann@home.example',
  to: 'carl@third.example',
  notify: 'success',
  ret: 'hdrs',
  orcpt: 'boss@elsewhere.example',
  'deliver-by': '3600RT',
  priority: '4',
  solicit: 'org.example:ADV',
  rrvs: '2024-05-01T00:00:00Z;C',
  text: 'hello',
};

/** The same as a queue keeps it. */
const kept = {
  reversePath: 'ann@home.example',
  ret: 'HDRS',
  priority: 4,
  solicit: ['org.example:ADV'],
  requireTls: true,
  origin: { protocol: 'ESMTPS' },
  recipients: [
    {
      address: 'carl@third.example',
      notify: ['SUCCESS'],
      originalRecipient: 'rfc822;boss@elsewhere.example',
      rrvs: { since: Date.UTC(2024, 4, 1), fallback: 'C' },
    },
  ],
};

/** Who reported what, in the order in which they could. */
function outcomesOf(mails: readonly string[]) {
  const reports = mails.map((mail) => parseDsn(Buffer.from(mail.replaceAll('\n', '\r\n'), 'latin1'))?.report);
  return reports.map((report) => {
    const [recipient] = report?.recipients ?? [];
    expect(recipient?.originalRecipient).toBe('rfc822;boss@elsewhere.example');
    expect(report?.deliverBy).toBeGreaterThan(report?.arrivalDate ?? Number.POSITIVE_INFINITY);
    return `${report?.envelopeId} ${recipient?.action} by ${report?.reportingMta}`;
  });
}

it.skipIf(!hasPeers('knotd', 'dnsmasq', 'openssl'))(
  'EXT-DBY-5 EXT-DBY-6 EXT-PRI-1 EXT-NOSOL-3 EXT-RRVS-2 EXT-RTLS-2 CLI-PARM-2 EXT-MTQP-6 keeps all that was asked for it on its way through three Posthorns, each named under a signature and certified',
  { timeout: 60_000 },
  async () => {
    using authority = createAuthority();
    await using knot = await startNames({}, { signed: true });
    await using dnsmasq = await startDnsmasq(knot.address, knot.trustAnchor());
    const parts = { dns: dnsmasq.address, authority };
    const routes = [{ domain: 'third.example', to: 'smtp://far.example' }];
    await using home = await startFullPosthorn('home', { ...parts, change: { routes } });
    const options = Object.entries(asked).flatMap(([name, value]) => [`--${name}`, value]);
    const flags = ['--require-tls', '--track', '--json', '--ca', authority.file];
    const sent = JSON.parse(await run(home.folder, 'send', '--server', placeOf('home').host, ...options, ...flags));
    const { envelopeId, secret } = sent.tracking;

    const first = (await queuedAt(home)).envelope;
    expect(first).toMatchObject({ ...kept, envelopeId, deliverBy: { mode: 'R', trace: true } });
    await using far = await startFullPosthorn('far', parts);
    home.agent.wake();
    const second = (await queuedAt(far)).envelope;
    expect(second).toMatchObject({ ...kept, envelopeId, deliverBy: { mode: 'R', trace: true } });
    expect(second.tracking?.certifier).toBe(first.tracking?.certifier);
    // They are sent as what is left of them, to the second, and counted again from when that comes.
    expect(Math.abs(Number(second.deliverBy?.until) - Number(first.deliverBy?.until))).toBeLessThan(60_000);
    expect(Math.abs(Number(second.tracking?.until) - Number(first.tracking?.until))).toBeLessThan(60_000);

    await using third = await startFullPosthorn('third', parts);
    far.agent.wake();
    const [mail = ''] = await mailIn(third, 'carl', 1);
    expect(mail).toContain('\nOriginal-Recipient: rfc822; boss@elsewhere.example\n');
    expect(mail).toContain('\nAuthentication-Results: mx.third.example; rrvs=pass\n');
    for (const [by, from] of [
      ['third', 'mx.far.example'],
      ['far', 'mx.home.example'],
      ['home', ''],
    ]) {
      const trace = `Received: from ${from}[^;]*\\n\tby mx\\.${by}\\.example \\(TLS[^;]*\\n\twith ESMTPS\\n[^;]* PRIORITY 4;`;
      expect(mail).toMatch(new RegExp(trace));
    }
    expect(outcomesOf(await mailIn(home, 'ann', 3)).sort()).toEqual([
      `${envelopeId} delivered by mx.third.example`,
      `${envelopeId} relayed by mx.far.example`,
      `${envelopeId} relayed by mx.home.example`,
    ]);

    const way = await trackMessage({
      envelopeId,
      secret: Buffer.from(secret, 'base64'),
      server: { host: placeOf('home').host },
      findServers: async (host) => [{ host: placeOf(/mx\.(far|third)\./.exec(host)?.[1] as 'far' | 'third').host }],
    });
    const steps: string[] = [];
    for (let hop: TrackedHop | undefined = way; hop !== undefined; hop = hop.next[0]) {
      steps.push(`${hop.host} ${hop.reports[0]?.recipients[0]?.action}`);
    }
    expect(steps).toEqual([
      `${placeOf('home').host} transferred`,
      'mx.far.example transferred',
      'mx.third.example delivered',
    ]);
  },
);
