import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import type { Outcome } from '../queue/outcome.ts';

/** An agent that throws mail away, as its route says. */
export function createDiscardAgent(now: () => number): DeliveryAgent {
  const outcome = { kind: 'delivered', status: '2.1.5', handover: 'final', text: 'discarded' } as const;
  return {
    async deliver({ recipients }) {
      return recipients.map((): Outcome => ({ ...outcome, at: now() }));
    },
    async close() {},
  };
}
