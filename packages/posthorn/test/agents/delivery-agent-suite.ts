import { describe, expect, it } from 'vitest';
import type { DeliveryAgent } from '../../src/queue/delivery-agent.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Content } from '../../src/queue/queue-store.ts';
import { contentInPieces, type JobFacts, jobOf, usualText } from './delivery-job.ts';

/** An agent, and a way that it can go. */
export interface SuiteAgent extends AsyncDisposable {
  readonly agent: DeliveryAgent;
  readonly nextHop: NextHop;
  /** All that arrived, Latin-1, each with its line ends as LF; undefined when nobody can know. */
  arrived(): Promise<readonly string[]> | undefined;
}

/** What holds for every agent, whatever way it goes. */
export function describeDeliveryAgent(name: string, start: () => Promise<SuiteAgent>): void {
  const body = 'line \0 one\nline two\n';

  describe(`${name} as a DeliveryAgent`, () => {
    const within = async (
      run: (started: SuiteAgent, job: (facts?: Omit<JobFacts, 'nextHop'>) => ReturnType<typeof jobOf>) => Promise<void>,
    ) => {
      await using started = await start();
      await run(started, (facts) => jobOf({ ...facts, nextHop: started.nextHop }));
    };

    it('gives one outcome for each recipient, with its time, and says whether success is reported', () =>
      within(async ({ agent }, job) => {
        const recipients = Array.from({ length: 100 }, (_, index) => ({ address: `r${index}@example.org` }));
        const outcomes = await agent.deliver(job({ recipients }));
        expect(outcomes).toHaveLength(100);
        for (const { kind, status, at, handover } of outcomes) {
          expect({ kind, time: at > 0 }).toEqual({ kind: 'delivered', time: true });
          expect(status).toMatch(/^2\.\d+\.\d+$/);
          expect(handover).toBeDefined();
        }
      }));

    it('LOC-1 keeps eight bits and NUL, whether the text is in hand or comes in pieces', () =>
      within(async ({ agent, arrived }, job) => {
        await agent.deliver(job());
        for (const size of [1, 2, 7]) {
          await agent.deliver(job({ content: contentInPieces(Buffer.from(usualText, 'latin1'), size) }));
        }
        const texts = await arrived();
        if (texts === undefined) return;
        expect(texts).toHaveLength(4);
        for (const text of texts) {
          expect(text).toContain('Subject: h\xe9\n');
          expect(text.slice(text.indexOf('\n\n') + 2).trimEnd()).toBe(body.trimEnd());
        }
      }));

    it('fails nobody when it is told to end at once', () =>
      within(async ({ agent }, job) => {
        const recipients = [{ address: 'a@example.org' }, { address: 'b@example.org' }];
        const outcomes = await agent.deliver(job({ recipients, signal: AbortSignal.abort() }));
        expect(outcomes).toHaveLength(2);
        for (const { kind } of outcomes) expect(kind).not.toBe('failed');
      }));

    it('ends only when what it has begun is done', () =>
      within(async ({ agent }, job) => {
        let letGo: (() => void) | undefined;
        const held = new Promise<void>((resolve) => {
          letGo = resolve;
        });
        const content: Content = {
          size: usualText.length,
          async *stream() {
            await held;
            yield Buffer.from(usualText, 'latin1');
          },
        };
        const order: string[] = [];
        const delivery = agent.deliver(job({ content })).then(() => order.push('delivered'));
        const closing = agent.close().then(() => order.push('closed'));
        letGo?.();
        await Promise.all([delivery, closing]);
        expect(order).toEqual(['delivered', 'closed']);
      }));
  });
}
