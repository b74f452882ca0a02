import { randomBytes } from 'node:crypto';
import { type AutoReplyParts, withAutoReplies } from '../agents/auto-replies.ts';
import { createBatchProcessor } from '../agents/batch-processor.ts';
import { createDiscardAgent } from '../agents/discard.ts';
import { createListAgent } from '../agents/list.ts';
import type { MailboxUsage } from '../agents/mailbox-usage.ts';
import { createMaildirAgent } from '../agents/maildir.ts';
import { createMboxAgent } from '../agents/mbox.ts';
import { createOnDemandAgent } from '../agents/on-demand.ts';
import type { Signer } from '../agents/outgoing.ts';
import { createPipeAgent } from '../agents/pipe.ts';
import { createRelayAgent } from '../agents/relay.ts';
import { createResendAgent } from '../agents/resend.ts';
import type { ProgramRules } from '../agents/run-program.ts';
import type { StsPolicies } from '../agents/sts-policies.ts';
import type { TlsReporting } from '../agents/tls-sessions.ts';
import { withTerminals } from '../agents/with-terminals.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { DeliveryAgent } from '../queue/delivery-agent.ts';
import type { NextHop } from '../queue/next-hop.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { expandAddresses } from './expand-addresses.ts';
import { expandEnclosed } from './expand-recipients.ts';
import type { Policy } from './policy.ts';
import { redirectionOf } from './redirection.ts';
import { relayOptionsOf } from './relay-options.ts';
import type { TerminalMail } from './terminal-mail.ts';

/** What agents are made of. */
export interface AgentParts {
  readonly config: Config;
  readonly resolver: Resolver;
  readonly ownAddresses: readonly string[];
  readonly now: () => number;
  /** Signs what leaves. */
  readonly sign: Signer;
  readonly store: Pick<QueueStore, 'newId' | 'draft'>;
  readonly usage: MailboxUsage;
  /** How programs are run. */
  readonly programs: ProgramRules;
  /** Where mail for terminals is shown, if it is. */
  readonly terminalMail?: TerminalMail | undefined;
  /** Knows the policies of domains about TLS; absent: nobody asks for them. */
  readonly sts?: StsPolicies | undefined;
  /** Counts sessions for reports; absent: nobody does. */
  readonly tlsReporting?: TlsReporting | undefined;
  /** The policy in force. */
  readonly policy: () => Pick<Policy, 'directory' | 'tlsFor' | 'findList' | 'findGateway' | 'findVacation'>;
}

/** Messages of one batch. */
const mostEnclosed = 10_000;

type AgentsByKind = Partial<Record<NextHop['kind'], DeliveryAgent>>;

/** The agents of a running server, one for each kind of next hop. */
export interface Agents {
  for(nextHop: NextHop): DeliveryAgent | undefined;
  /** Forgets which hosts were not reached. */
  retryHosts(): void;
  close(): Promise<void>;
}

/** Makes the agents. */
export function createAgents({
  config,
  resolver,
  ownAddresses,
  now,
  sign,
  store,
  usage,
  programs,
  terminalMail,
  sts,
  tlsReporting,
  policy,
}: AgentParts): Agents {
  const { queue, limits, hostname } = config;
  const relay = createRelayAgent({
    ...relayOptionsOf({ config, resolver, ownAddresses, now, policy, sts, tlsReporting }),
    sign,
    limits: {
      connections: queue.concurrencyPerDestination,
      messagesPerConnection: queue.messagesPerConnection,
      idleTime: queue.connectionIdleTime,
    },
  });
  const ownMail = { hostname, now, random: randomBytes, newId: () => store.newId() };
  const byKind: AgentsByKind = {
    maildir: createMaildirAgent(now, usage),
    mbox: createMboxAgent(now, { usage }),
    pipe: createPipeAgent({ ...programs, now }),
    resend: createResendAgent({
      ...ownMail,
      draft: () => store.draft(),
      find: (address) => redirectionOf(policy().directory, address),
    }),
    list: createListAgent({
      ...ownMail,
      draft: () => store.draft(),
      find: (address) => policy().findList(address),
      expand: (addresses) => expandAddresses(policy().directory, addresses),
    }),
    batch: createBatchProcessor({
      ...ownMail,
      draft: () => store.draft(),
      find: (address) => policy().findGateway(address),
      expand: (transaction) => expandEnclosed(policy().directory, transaction),
      limits: { messageSize: limits.messageSize, recipients: limits.recipients, messages: mostEnclosed },
    }),
    odmr: createOnDemandAgent(now),
    discard: createDiscardAgent(now),
    mx: relay,
    smtp: relay,
    lmtp: relay,
  };
  const answering = withAnswers(byKind, {
    ...ownMail,
    vacationOf: (address) => policy().findVacation(address, now()),
    expand: (addresses) => expandAddresses(policy().directory, addresses),
  });
  const agents = { ...byKind, ...answering };
  const served = terminalMail === undefined ? agents : withScreens(agents, terminalMail, now);
  return {
    for: ({ kind }) => served[kind],
    retryHosts: () => relay.retryHosts?.(),
    async close() {
      await Promise.all([...new Set(Object.values(byKind))].map((agent) => agent.close()));
    },
  };
}

/** All agents: mail for terminals comes there first, or too. */
function withScreens(agents: AgentsByKind, { terminals, most }: TerminalMail, now: () => number): AgentsByKind {
  const entries = Object.entries(agents).map(([kind, agent]) => [kind, withTerminals(agent, { terminals, most, now })]);
  return Object.fromEntries(entries);
}

/** The agents by which mail reaches its mailbox: what they deliver is answered for who is away. */
function withAnswers(byKind: AgentsByKind, parts: AutoReplyParts): AgentsByKind {
  const kinds = ['maildir', 'mbox', 'lmtp', 'smtp'] as const;
  const entries = kinds.flatMap((kind) => {
    const agent = byKind[kind];
    return agent === undefined ? [] : [[kind, withAutoReplies(agent, parts)] as const];
  });
  return Object.fromEntries(entries);
}
