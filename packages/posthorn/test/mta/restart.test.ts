import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sendMail, startTestAgent } from './fixture.ts';
import { startNextHop, startSilentHop } from './next-hop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mta-restart-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An agent over the same queue each time. */
function startOver(to: string) {
  return startTestAgent(() => ({
    dataDir: join(folder, 'data'),
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
      await using test = await startOver(silent.to);
      const replies = await sendMail(test.port, ...mails);
      expect(replies.filter((reply) => reply.startsWith('250 '))).toHaveLength(30);
      await expect.poll(() => silent.sessions.length).toBe(2);
      await test.agent.close({ grace: 0 });
    }
    await using test = await startOver(hop.to);
    await expect.poll(() => test.agent.store.count(), { timeout: 15_000 }).toBe(0);
    expect(hop.taken.map(({ rcpt }) => rcpt.join()).sort()).toEqual(mails.map(({ to }) => `RCPT TO:${to[0]}`).sort());
  }, 30_000);
});
