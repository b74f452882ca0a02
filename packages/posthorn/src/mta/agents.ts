import { createDiscardAgent } from '../agents/local-agent.ts';
import { createMaildirAgent } from '../agents/maildir.ts';
import { createMboxAgent } from '../agents/mbox.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';

/** What agents are made of. */
export interface AgentParts {
  readonly config: Config;
  readonly resolver: Resolver;
  readonly ownAddresses: readonly string[];
  readonly now: () => number;
}

/** The agents of a running server, one for each kind of next hop. */
export interface Agents {
  for(nextHop: NextHop): DeliveryAgent | undefined;
  close(): Promise<void>;
}

/** Makes the agents. */
export function createAgents({ now }: AgentParts): Agents {
  const byKind: Partial<Record<NextHop['kind'], DeliveryAgent>> = {
    maildir: createMaildirAgent(now),
    mbox: createMboxAgent(now),
    discard: createDiscardAgent(now),
  };
  return {
    for: ({ kind }) => byKind[kind],
    async close() {
      await Promise.all([...new Set(Object.values(byKind))].map((agent) => agent.close()));
    },
  };
}
