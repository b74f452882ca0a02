import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import { sameOutcome } from '../queue/outcome.ts';

/** An agent for mail that its host fetches: it waits, with all that comes of waiting too long (RFC 2645 §4). */
export function createOnDemandAgent(now: () => number): DeliveryAgent {
  const text = 'Waits until its host asks for it';
  return {
    async deliver({ recipients }) {
      return sameOutcome(recipients.length, { kind: 'deferred', status: '4.4.1', at: now(), text });
    },
    async close() {},
  };
}
