import { expect, it } from 'vitest';
import type { SocketClient } from '../../../smtp/test/laws/socket-client.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, sendMail, startTestAgent, type TestAgent } from '../mta/fixture.ts';
import { tlsIn } from '../mta/tls-in.ts';
import { GoldenClock, GoldenHost, runGolden } from './run-golden.ts';

function portsOf({ agent, port }: TestAgent): Record<string, number> {
  const mtqp = agent.listeners.find(({ role }) => role === 'mtqp');
  return { 587: port, 1038: mtqp !== undefined && 'port' in mtqp ? mtqp.port : 0 };
}

/** Takes a session of the agent, and none of its mail for now. */
async function putOff(host: GoldenHost): Promise<void> {
  const peer = await host.accept();
  peer.send('220 host.example\r\n');
  for (let line = await peer.line(); line !== 'QUIT'; line = await peer.line()) {
    peer.send(line.startsWith('MAIL') ? '451 4.3.2 later\r\n' : '250 host.example\r\n');
  }
  peer.send('221 host.example\r\n');
  await peer.closed();
}

/** What chance decides of an answer: the delimiter of its parts. */
const events = {
  async 'content type'(peer: SocketClient) {
    expect(await peer.line()).toMatch(/^Content-Type: multipart\/related; boundary="=_[0-9a-f]{32}";$/);
  },
  async boundary(peer: SocketClient) {
    expect(await peer.line()).toMatch(/^--=_[0-9a-f]{32}(--)?$/);
  },
};

async function waiting({ agent }: TestAgent): Promise<string | undefined> {
  for await (const { envelope, state } of agent.store.list()) {
    if (state.recipients.every(({ attempts }) => attempts > 0)) return envelope.id;
  }
  return undefined;
}

it('DLG-MTRK-1 DLG-MTQP-1 EXT-MTRK-1 EXT-MTRK-2 EXT-MTQP-1 EXT-MTQP-2 EXT-MTQP-3 EXT-MTQP-5 EXT-MTSN-1 EXT-MTSN-2 submits a tracked message, passes it on 45 seconds later, and answers where it is', async () => {
  const clock = new GoldenClock();
  await using withTracking = await GoldenHost.listen();
  await using without = await GoldenHost.listen();
  const zone = { 'mx1.example.com': { a: ['127.0.0.1'] }, 'mx.example.net': { a: ['127.0.0.1'] } };
  await using dns = await startDnsServer({ zone });
  await using test = await startTestAgent(
    (folder) => {
      const tls = tlsIn(folder);
      return {
        hostname: 'mail.example.org',
        listeners: [
          { role: 'mx', host: '127.0.0.1', port: 0 },
          { role: 'mtqp', host: '127.0.0.1', port: 0 },
        ],
        tls,
        relayFrom: ['127.0.0.0/8'],
        dns: { servers: [dns.address] },
        routes: [
          { domain: 'example.com', to: `smtp://mx1.example.com:${withTracking.port}?tls=none` },
          { domain: 'example.net', to: `smtp://mx.example.net:${without.port}?tls=none` },
        ],
        queue: { retry: ['1d'], connectionIdleTime: '0s' },
      };
    },
    { now: clock.now },
  );
  await runGolden('dlg-mtrk-1.txt', { plays: 'C', ports: portsOf(test), clock });
  await Promise.all([putOff(withTracking), putOff(without)]);
  await expect.poll(() => waiting(test)).toBeDefined();
  clock.advance('45s');
  const { agent } = test;
  await agent.store.change((await waiting(test)) ?? '', ({ state }) => {
    const recipients = state.recipients.map(({ due: _, ...recipient }) => recipient);
    return { state: { ...state, recipients, due: clock.now() }, reports: [] };
  });
  agent.wake();
  const hosts = { 'mx1.example.com': withTracking, 'mx.example.net': without };
  const peers = await Promise.all([
    runGolden('dlg-mtrk-1-with.txt', { plays: 'S', hosts, clock }),
    runGolden('dlg-mtrk-1-without.txt', { plays: 'S', hosts, clock }),
  ]);
  for (const { texts } of peers) {
    expect(texts[0]?.filter((line) => line.startsWith('Received: '))).toHaveLength(1);
  }
  await expect.poll(() => agent.store.count()).toBe(0);
  await runGolden('dlg-mtqp-1.txt', { plays: 'C', ports: portsOf(test), clock, events });
}, 20_000);

it('DLG-MTQP-2 EXT-MTQP-4 EXT-MTQP-6 EXT-MTSN-2 answers the next server over TLS alone', async () => {
  const clock = new GoldenClock();
  await using test = await startTestAgent(
    (folder) => {
      const tls = tlsIn(folder);
      return {
        hostname: 'mx.example.test',
        listeners: [
          { role: 'mx', host: '127.0.0.1', port: 0 },
          { role: 'mtqp', host: '127.0.0.1', port: 0, requireTls: true },
        ],
        tls,
        domains: { 'example.com': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['carol'] } },
      };
    },
    { now: clock.now },
  );
  await sendMail(test.port, {
    from: '<ann@example.org> ENVID=t17.20261121@mail.example.org MTRK=rCdfRXj5v2zwaR8qPyN/jzXH3bU:863955',
    to: ['<carol@example.com> ORCPT=rfc822;carol@example.com'],
  });
  await mailIn(test, 'carol', 1);
  await expect.poll(() => test.agent.store.count()).toBe(0);
  await runGolden('dlg-mtqp-2.txt', { plays: 'C', ports: portsOf(test), clock, events });
});
