import { networkInterfaces } from 'node:os';
import { createDiscardAgent } from '../agents/discard.ts';
import { createMaildirAgent } from '../agents/maildir.ts';
import { createMboxAgent } from '../agents/mbox.ts';
import { ownFamilies } from '../agents/own-families.ts';
import { createRelayAgent } from '../agents/relay.ts';
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
export function createAgents({ config, resolver, ownAddresses, now }: AgentParts): Agents {
  const { queue, hostname } = config;
  const relay = createRelayAgent({
    name: hostname,
    resolver,
    ownNames: [hostname],
    ownAddresses,
    families: ownFamilies(networkInterfaces()),
    now,
    chance: Math.random,
    limits: {
      connections: queue.concurrencyPerDestination,
      messagesPerConnection: queue.messagesPerConnection,
      idleTime: queue.connectionIdleTime,
    },
  });
  const byKind: Partial<Record<NextHop['kind'], DeliveryAgent>> = {
    maildir: createMaildirAgent(now),
    mbox: createMboxAgent(now),
    discard: createDiscardAgent(now),
    mx: relay,
    smtp: relay,
    lmtp: relay,
  };
  return {
    for: ({ kind }) => byKind[kind],
    async close() {
      await Promise.all([...new Set(Object.values(byKind))].map((agent) => agent.close()));
    },
  };
}
