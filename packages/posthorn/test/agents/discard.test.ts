import { expect, it } from 'vitest';
import { createDiscardAgent } from '../../src/agents/discard.ts';
import { describeDeliveryAgent } from './delivery-agent-suite.ts';
import { jobOf, moment } from './delivery-job.ts';

const nextHop = { kind: 'discard', key: 'discard:' } as const;

describeDeliveryAgent('the discard agent', async () => ({
  agent: createDiscardAgent(() => moment),
  nextHop,
  arrived: () => undefined,
  async [Symbol.asyncDispose]() {},
}));

it('the discard agent takes everything for delivered', async () => {
  const [outcome] = await createDiscardAgent(() => moment).deliver(jobOf({ nextHop }));
  expect(outcome).toEqual({ kind: 'delivered', status: '2.1.5', at: moment, handover: 'final', text: 'discarded' });
});
