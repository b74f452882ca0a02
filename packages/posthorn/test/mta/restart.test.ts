import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sendMail, startTestAgent } from './fixture.ts';
import { startNextHop, startSilentHop } from './next-hop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mta-restart-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An agent over the same queue each time. */
function startOver(name: string, to: string) {
  return startTestAgent(() => ({
    dataDir: join(folder, name),
    relayFrom: ['127.0.0.0/8'],
    routes: [{ domain: '*', to }],
    queue: { retry: ['1s'], concurrencyPerDestination: 2 },
  }));
}

describe('an agent that ends and begins again', () => {
  it('CMD-DATA-6 delivers each message that was waiting, deferred or under way exactly once', async () => {
    await using silent = await startSilentHop();
    await using hop = await startNextHop();
    const mails = Array.from({ length: 30 }, (_, at) => ({ to: [`<u${at}@far.example>`] }));
    {
      await using test = await startOver('waiting', silent.to);
      const replies = await sendMail(test.port, ...mails);
      expect(replies.filter((reply) => reply.startsWith('250 '))).toHaveLength(30);
      await expect.poll(() => silent.sessions.length).toBe(2);
      await test.agent.close({ grace: 0 });
    }
    await using test = await startOver('waiting', hop.to);
    await expect.poll(() => test.agent.store.count(), { timeout: 15_000 }).toBe(0);
    expect(hop.taken.map(({ rcpt }) => rcpt.join()).sort()).toEqual(mails.map(({ to }) => `RCPT TO:${to[0]}`).sort());
  }, 30_000);

  it('CMD-DATA-6 ends under load without losing any mail that it said it took', async () => {
    await using hop = await startNextHop();
    let sent = 0;
    const taken: string[] = [];
    {
      await using test = await startOver('loaded', hop.to);
      const sender = async () => {
        for (;;) {
          const path = `<u${sent++}@far.example>`;
          const [reply = ''] = await sendMail(test.port, { to: [path] }).catch(() => []);
          if (!reply.startsWith('250 2.0.0')) return;
          taken.push(`RCPT TO:${path}`);
        }
      };
      const senders = [1, 2, 3, 4].map(sender);
      await expect.poll(() => taken.length, { timeout: 20_000 }).toBeGreaterThan(40);
      await test.agent.close({ grace: 0 });
      await Promise.all(senders);
    }
    await using test = await startOver('loaded', hop.to);
    await expect.poll(() => test.agent.store.count(), { timeout: 15_000 }).toBe(0);
    const delivered = new Set(hop.taken.flatMap(({ rcpt }) => rcpt));
    expect(taken.filter((path) => !delivered.has(path))).toEqual([]);
  }, 60_000);
});
