import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTlsReport } from '@posthorn/smtp/report/tls-report';
import { expect, it } from 'vitest';
import { runCommand } from '../../packages/posthorn/src/cli/run-command.ts';
import type { FixtureHost } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { formatStsPolicy } from '../../packages/posthorn/src/routing/sts-policy.ts';
import { fakeTerminal } from '../../packages/posthorn/test/cli/fake-terminal.ts';
import { sendMail, startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { network } from './loopback.ts';
import { Parts } from './network.ts';
import { createAuthority } from './peers/authority.ts';
import { hasPeers } from './peers/peer.ts';
import {
  outcomesOf,
  policyAddress,
  resolverAddress,
  startPolicyHost,
  startResolver,
  startTakingHost,
  tlsaOf,
} from './tls-network.ts';

const able = hasPeers('knotd', 'unbound', 'openssl');
const collector = `${network}.61`;

/** A web server that keeps what is posted to it. */
async function startCollector(files: { readonly cert: string; readonly key: string }) {
  const posted: { readonly type: string | undefined; readonly body: Buffer }[] = [];
  const server = createWebServer(
    { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        posted.push({ type: request.headers['content-type'], body: Buffer.concat(pieces) });
        response.writeHead(201).end();
      });
    },
  ).listen(443, collector);
  await once(server, 'listening');
  return {
    posted,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

it.skipIf(!able)(
  'SEC-RPT-1 SEC-RPT-2 counts sessions under each policy, and reports the next day by mail and by https, though TLS is broken',
  { timeout: 60_000 },
  async () => {
    using authority = createAuthority();
    await using parts = new Parts();
    const [right, wrong] = [`${network}.90`, `${network}.91`];
    const rightFiles = authority.certify('mx.right.example', right);
    await parts.add(startTakingHost(right, rightFiles));
    const host = await parts.add(
      startTakingHost(wrong, authority.certify('mx.wrong.example', wrong, { selfSigned: true })),
    );
    const reporting = { txt: ['v=TLSRPTv1; rua=mailto:reports@wrong.example,https://collector.example/tls'] };
    const zone: Record<string, FixtureHost> = {
      'mx.right.example': { a: [right] },
      'mx.wrong.example': { a: [wrong] },
      'good.example': { mx: [[10, 'mx.right.example']] },
      '_25._tcp.mx.right.example': { tlsa: [tlsaOf(rightFiles.cert, 3)] },
      'wrong.example': { mx: [[10, 'mx.wrong.example']] },
      '_25._tcp.mx.wrong.example': { tlsa: [tlsaOf(authority.file, 3)] },
      'testing.example': { mx: [[10, 'mx.tried.example']] },
      'mx.tried.example': { a: [wrong] },
      '_mta-sts.testing.example': { txt: ['v=STSv1; id=1;'] },
      'mta-sts.testing.example': { a: [policyAddress] },
      'silent.example': { mx: [[10, 'mx.wrong.example']] },
      'collector.example': { a: [collector] },
    };
    for (const domain of ['good', 'wrong', 'testing']) zone[`_smtp._tls.${domain}.example`] = reporting;
    await startResolver(parts, zone);
    const policies = await parts.add(
      startPolicyHost(policyAddress, authority.certify('mta-sts.testing.example', policyAddress)),
    );
    const text = formatStsPolicy({ mode: 'testing', mx: ['mx.tried.example'], maxAge: 86_400 });
    policies.texts.set('mta-sts.testing.example', { text });
    const { posted } = await parts.add(startCollector(authority.certify('collector.example', collector)));

    const dataDir = mkdtempSync(join(tmpdir(), 'tls-reports-'));
    const start = (now: () => number): Promise<TestAgent> =>
      startTestAgent(
        (folder) => ({
          dataDir,
          relayFrom: ['127.0.0.0/8'],
          authorities: authority.file,
          dns: { servers: [resolverAddress], validating: true },
          queue: { retry: ['1h'] },
          tlsReports: { organization: 'Example Ltd', contact: 'tls@example.org' },
          domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' } },
        }),
        { now },
      );
    const noon = Date.parse('2026-11-24T12:00:00Z');
    {
      await using test = await start(() => noon);
      const to = ['good', 'wrong', 'testing', 'silent'].map((name) => `<u@${name}.example>`);
      await sendMail(test.port, { to });
      const outcomes = Object.fromEntries(await outcomesOf(test, 4));
      expect(outcomes).toEqual({
        'good.example': 'delivered',
        'wrong.example': '4.7.5',
        'testing.example': 'delivered',
        'silent.example': '4.7.5',
      });
      for await (const { envelope } of test.agent.store.list()) {
        await test.agent.store.settle(envelope.id, { state: 'done', reports: [] });
      }
    }
    expect(posted).toEqual([]);
    // By the end of the next day every report has had its time.
    await using _ = await start(() => noon + 24 * 60 * 60_000);
    await expect.poll(() => posted.length, { timeout: 20_000 }).toBe(3);
    await expect.poll(() => host.taken.filter(({ to }) => to === 'wrong.example').length, { timeout: 20_000 }).toBe(3);
    const reports = posted.map(({ body }) => parseTlsReport(gunzipSync(body)));
    expect(posted.map(({ type }) => type)).toEqual(new Array(3).fill('application/tlsrpt+gzip'));
    const summary = reports.flatMap((report) =>
      (report?.policies ?? []).map(({ domain, type, successes, failures, details }) =>
        [domain, type, successes, failures, ...details.map(({ result }) => result)].join(' '),
      ),
    );
    expect(summary.sort()).toEqual([
      'good.example tlsa 1 0',
      'testing.example sts 0 1 certificate-not-trusted',
      'wrong.example tlsa 0 1 validation-failure',
    ]);
    expect(reports[0]).toMatchObject({ organization: 'Example Ltd', contact: 'tls@example.org' });
    expect(new Date(reports[0]?.begin ?? 0).toISOString()).toBe('2026-11-24T00:00:00.000Z');
    rmSync(dataDir, { recursive: true });

    const terminal = fakeTerminal({ folder: tmpdir() });
    const file = join(mkdtempSync(join(tmpdir(), 'tlsrpt-')), 'report.json.gz');
    writeFileSync(file, posted[0]?.body ?? '');
    expect(await runCommand(['tlsrpt', 'read', file], terminal)).toBe(0);
    expect(terminal.output()).toContain('Example Ltd (tls@example.org)');
  },
);
