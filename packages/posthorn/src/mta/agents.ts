import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { createDiscardAgent } from '../agents/discard.ts';
import { createListAgent } from '../agents/list.ts';
import { createMaildirAgent } from '../agents/maildir.ts';
import { createMboxAgent } from '../agents/mbox.ts';
import { createOnDemandAgent } from '../agents/on-demand.ts';
import { ownFamilies } from '../agents/own-families.ts';
import { createRelayAgent } from '../agents/relay.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { expandMembers } from './lists.ts';
import type { Policy } from './policy.ts';

/** What agents are made of. */
export interface AgentParts {
  readonly config: Config;
  readonly resolver: Resolver;
  readonly ownAddresses: readonly string[];
  readonly now: () => number;
  readonly store: Pick<QueueStore, 'newId' | 'draft'>;
  /** The policy in force. */
  readonly policy: () => Pick<Policy, 'directory' | 'findList'>;
}

/** The agents of a running server, one for each kind of next hop. */
export interface Agents {
  for(nextHop: NextHop): DeliveryAgent | undefined;
  close(): Promise<void>;
}

/** Makes the agents. */
export function createAgents({ config, resolver, ownAddresses, now, store, policy }: AgentParts): Agents {
  const { queue, hostname } = config;
  const relay = createRelayAgent({
    name: hostname,
    resolver,
    ownNames: [hostname],
    ownAddresses,
    families: ownFamilies(networkInterfaces()),
    now,
    chance: Math.random,
    ...(config.authorities === undefined ? {} : { tlsMaterial: { ca: readFileSync(config.authorities) } }),
    limits: {
      connections: queue.concurrencyPerDestination,
      messagesPerConnection: queue.messagesPerConnection,
      idleTime: queue.connectionIdleTime,
    },
  });
  const byKind: Partial<Record<NextHop['kind'], DeliveryAgent>> = {
    maildir: createMaildirAgent(now),
    mbox: createMboxAgent(now),
    list: createListAgent({
      hostname,
      now,
      random: randomBytes,
      newId: () => store.newId(),
      draft: () => store.draft(),
      find: (address) => policy().findList(address),
      expand: (addresses) => expandMembers(policy().directory, addresses),
    }),
    odmr: createOnDemandAgent(now),
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
