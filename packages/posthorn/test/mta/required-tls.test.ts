import { openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { startSecureHop } from './secure-hop.ts';
import { tlsIn, withinTls } from './tls-in.ts';

/** An agent with TLS that trusts the authority of the tests. */
function startRelay(port: number, to = `smtp://127.0.0.1:${port}?tls=opportunistic`) {
  return startTestAgent((folder) => {
    const files = tlsIn(folder);
    return {
      hostname: 'relay.example.org',
      relayFrom: ['127.0.0.0/8'],
      tls: files,
      authorities: files.cert,
      routes: [
        { domain: 'example.com', to },
        { domain: '*', to },
      ],
    };
  });
}

const text = Buffer.from(`Subject: secret\r\n\r\n${'the body\r\n'.repeat(3)}`);

/** Sends over TLS, with REQUIRETLS. */
async function sendSecret(port: number, { from = 'ann@example.org', to = 'u@far.example' } = {}) {
  await using connection = await openConnection({
    ...withinTls(port),
  });
  const mail = { requireTls: true, ret: 'FULL' } as const;
  const { recipients } = await connection.send({ envelope: { from, to: [to], mail }, text });
  return `${recipients[0]?.kind} ${recipients[0]?.status}`;
}

describe('REQUIRETLS', () => {
  it('EXT-RTLS-1 is offered inside TLS alone', async () => {
    await using test = await startRelay(1);
    const [reply] = await sendMail(test.port, { from: '<ann@example.org> REQUIRETLS', to: ['<u@example.org>'] });
    expect(reply).not.toMatch(/^250/);
    expect(await sendSecret(test.port, { to: 'u@example.org' })).toBe('accepted 2.0.0');
    await mailIn(test, 'u', 1);
  });

  it('EXT-RTLS-2 goes on over verified TLS to a host that offers it, with the parameter', async () => {
    await using hop = await startSecureHop({ extensions: { requireTls: true } });
    await using test = await startRelay(hop.port);
    expect(await sendSecret(test.port)).toBe('accepted 2.0.0');
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.transaction.mail.requireTls).toBe(true);
    expect(hop.taken[0]?.tls).toBe(true);
  });

  it('EXT-RTLS-2 EXT-RTLS-3 ENH-7/5.7.30 gives back with 5.7.30, without the body, what the next hop does not offer it for', async () => {
    await using hop = await startSecureHop();
    await using test = await startRelay(hop.port);
    await sendSecret(test.port);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nAction: failed\nStatus: 5.7.30\n');
    expect(report).toContain('Content-Type: text/rfc822-headers');
    expect(report).toContain('Subject: secret');
    expect(report).not.toContain('the body');
    expect(hop.taken).toHaveLength(0);
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('EXT-RTLS-2 ENH-7/5.7.10 gives back with 5.7.10 where there is no TLS, or none that is verified', async () => {
    await using clear = await startNextHop({ offers: ['REQUIRETLS', 'ENHANCEDSTATUSCODES'] });
    await using test = await startRelay(0, `smtp://127.0.0.1:${clear.port}?tls=opportunistic`);
    await sendSecret(test.port);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nAction: failed\nStatus: 5.7.10\n');
    expect(clear.taken).toHaveLength(0);
  });

  it('EXT-RTLS-3 sends the report with the parameter, and all the same where nobody offers it', async () => {
    for (const requireTls of [true, false]) {
      await using hop = await startSecureHop({ extensions: { requireTls } });
      await using clear = await startNextHop();
      await using test = await startTestAgent((folder) => {
        const files = tlsIn(folder);
        return {
          hostname: 'relay.example.org',
          relayFrom: ['127.0.0.0/8'],
          tls: files,
          authorities: files.cert,
          routes: [
            { domain: 'example.com', to: `smtp://127.0.0.1:${hop.port}?tls=opportunistic` },
            { domain: '*', to: clear.to },
          ],
        };
      });
      await sendSecret(test.port, { from: 'ann@example.com' });
      await expect.poll(() => hop.taken.length).toBe(1);
      const { transaction, text: report } = hop.taken[0] as (typeof hop.taken)[number];
      expect(transaction.reversePath).toBeNull();
      expect(transaction.mail.requireTls).toBe(requireTls ? true : undefined);
      expect(report).toContain('Status: 5.7.10');
    }
  });

  it('tags a message whose header asks for no TLS, unless the parameter asks for it', async () => {
    await using test = await startRelay(0, 'smtp://127.0.0.1:1?tls=none');
    const queued = async () => {
      const found: unknown[] = [];
      for await (const { envelope } of test.agent.store.list()) {
        found.push([envelope.tlsOptional ?? false, envelope.requireTls ?? false]);
      }
      return found;
    };
    const letter = (...fields: string[]) => `${['Subject: x', ...fields].join('\r\n')}\r\n\r\nHello\r\n`;
    const to = ['<u@far.example>'];
    await sendMail(
      test.port,
      { to, text: letter('TLS-Required: no') },
      { to, text: letter('TLS-Required: No', 'TLS-Required: No') },
      { to, text: letter('TLS-Required: Yes') },
      { to, text: letter() },
    );
    expect(await queued()).toEqual([
      [true, false],
      [false, false],
      [false, false],
      [false, false],
    ]);
  });
});
