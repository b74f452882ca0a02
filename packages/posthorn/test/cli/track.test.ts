import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrackingReport } from '@posthorn/smtp/tracking';
import { createTrackingServer } from '@posthorn/smtp/tracking';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { query, recipient, reportBy } from '../../../smtp/test/tracking/tracking-hosts.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, startTestAgent } from '../mta/fixture.ts';
import { startNextHop } from '../mta/next-hop.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const secret = 'Xwx74alNIobzsBF86F2aRGPC';

async function run(words: readonly string[], env: Record<string, string> = {}) {
  const terminal = fakeTerminal({ folder: folder(), env });
  const code = await runCommand(words, terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

/** A host that knows the message; its port. */
async function startHost(...reports: TrackingReport[]): Promise<number> {
  const server = createTrackingServer({
    hostname: 'mx.example.test',
    tls: testCertificate,
    track: (given) => (given.secret.equals(query.secret) ? reports : []),
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  return 'port' in address ? address.port : 0;
}

const sending = (server: string) =>
  ['send', '--server', server, '--from', 'a@x.test', '--to', 'bob@example.org', '--text', 'x', '--track'] as const;

describe('track', () => {
  it('EXT-MTQP-1 EXT-MTQP-6 finds the first server by the ENVID and SRV records, and follows the message as a tree', async () => {
    const first = await startHost(
      reportBy(
        'mail.example.org',
        recipient('transferred', 'mx1.example.com'),
        { ...recipient('relayed', 'mx.example.net'), finalRecipient: 'dave@example.net' },
        recipient('transferred', 'gone.example'),
      ),
    );
    const second = await startHost(reportBy('mx1.example.com', recipient('delivered')));
    const ports: Readonly<Record<string, number>> = {
      '_mtqp._tcp.mail.example.org': first,
      '_mtqp._tcp.mx1.example.com': second,
      '_mtqp._tcp.gone.example': 1,
    };
    await using dns = await startDnsServer({
      trouble: ({ question }, answer) => {
        const port = ports[question.name.toLowerCase()];
        if (port === undefined || question.type !== 'SRV') return undefined;
        const data = { priority: 0, weight: 0, port, target: '127.0.0.1' };
        // The flags of the zone's answer say that there is no such name.
        return [{ ...answer, flags: 0, authorities: [], answers: [{ type: 'SRV', name: question.name, data }] }];
      },
    });
    const config = {
      hostname: 'x.example',
      dataDir: 'data',
      listeners: [{ role: 'mx' }],
      dns: { servers: [dns.address] },
    };
    writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(config));
    const words = ['track', query.envelopeId, '--secret', secret, '--config', 'posthorn.json'];
    const { code, output, said } = await run(words);
    expect({ code, said }).toEqual({ code: 0, said: '' });
    const attempt = 'Thu, 1 Jan 1970 00:00:45 +0000';
    expect(output.replace(/gone\.example: .*/, 'gone.example: …').split('\n')).toEqual([
      'mail.example.org, since Thu, 1 Jan 1970 00:00:00 +0000',
      `├─ carol@example.com: transferred to mx1.example.com (2.1.5), ${attempt}`,
      '│  └─ mx1.example.com, since Thu, 1 Jan 1970 00:00:00 +0000',
      `│     └─ carol@example.com: delivered (2.1.5), ${attempt}`,
      `├─ dave@example.net: relayed to mx.example.net (2.1.9), ${attempt}`,
      `└─ carol@example.com: transferred to gone.example (2.1.5), ${attempt}`,
      '   └─ gone.example: …',
      '',
    ]);
    const json = JSON.parse((await run([...words, '--json'])).output);
    expect(json.next[0].reports[0].recipients[0]).toMatchObject({ action: 'delivered', status: '2.1.5' });
    expect(json.next[1].failure.kind).toBe('refused');
  });

  it('EXT-MTQP-6 takes an mtqp URI, and the secret from the environment', async () => {
    const port = await startHost(reportBy('mx.example.test', recipient('delivered')));
    const uri = `mtqp://127.0.0.1:${port}/track/${query.envelopeId}/${secret}`;
    expect(await run(['track', uri])).toMatchObject({ code: 0, output: expect.stringContaining('delivered') });
    const words = ['track', query.envelopeId, '--secret-env', 'KEY', '--server', `127.0.0.1:${port}`];
    expect(await run(words, { KEY: secret })).toMatchObject({ code: 0 });
    const wrong = await run(words, { KEY: 'AAECAwQFBgcICQoLDA0ODxAR' });
    expect(wrong).toMatchObject({ code: 1, output: expect.stringContaining('-ERR/noinfo') });
  });

  it('exits with 75 where the host cannot be reached now', async () => {
    const words = ['track', query.envelopeId, '--secret', secret, '--server', '127.0.0.1:1', '--tls', 'none'];
    expect((await run(words)).code).toBe(75);
  });

  it.each([
    [['track', query.envelopeId], 'Give the secret'],
    [['track', query.envelopeId, '--secret', '$'], 'must be base64'],
    [['track', 'a b', '--secret', secret], 'must be an ENVID'],
    [['track', 'mtqp://x/y'], 'The URI must be'],
    [['track', 'QQ1', '--secret', secret], 'names no host'],
    [['track', 'QQ1', '--secret', secret, '--server', '/socket'], '--server must be'],
  ])('says what is wrong with %j', async (words, text) => {
    const { code, said } = await run(words);
    expect(code).toBe(2);
    expect(said).toContain(text);
  });
});

describe('send --track', () => {
  it('EXT-MTRK-1 tells what to ask for a message with, and track finds it', async () => {
    await using test = await startTestAgent(() => ({
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'mtqp', host: '127.0.0.1', port: 0 },
      ],
    }));
    const server = `127.0.0.1:${test.port}`;
    const words = sending(server);
    const first = await run(words);
    expect(first.output).toMatch(
      /^accepted bob@example\.org: 250 .*\ntrack mtqp:\/\/127\.0\.0\.1\/track\/[0-9a-f]{32}@\S+\n$/,
    );
    const { tracking } = JSON.parse((await run([...words, '--json'])).output);
    expect(Buffer.from(tracking.secret, 'base64').length).toBeGreaterThanOrEqual(16);
    await mailIn(test, 'bob', 2);
    const mtqp = test.agent.listeners.find(({ role }) => role === 'mtqp');
    const place = `127.0.0.1:${mtqp !== undefined && 'port' in mtqp ? mtqp.port : 0}`;
    const track = () => run(['track', tracking.envelopeId, '--secret', tracking.secret, '--server', place]);
    await expect.poll(async () => (await track()).output).toContain('└─ bob@example.org: delivered (2.1.5)');
  });

  it('says that a message is not tracked where the host does not offer it', async () => {
    await using hop = await startNextHop({ offers: ['DSN'] });
    const server = `${hop.host}:${hop.port}`;
    const words = sending(server);
    const { code, output, said } = await run(words);
    expect({ code, said }).toEqual({ code: 0, said: 'The message is not tracked: the host does not offer it.\n' });
    expect(output).not.toContain('track');
  });
});
