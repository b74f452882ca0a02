import type { ServerHandlers } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import { OnDemand, type OnDemandParts } from './on-demand.ts';
import type { Policy } from './policy.ts';
import { QueueStarter, type QueueStarterParts } from './queue-starter.ts';

/** What the services are made of. */
export interface OnDemandServicesParts
  extends Omit<OnDemandParts, 'route' | 'rights' | 'requestsPerMinute' | 'longest'> {
  readonly store: OnDemandParts['store'] & QueueStarterParts['store'];
  readonly retryHosts: QueueStarterParts['retryHosts'];
  readonly config: Config;
  /** The policy in force. */
  readonly policy: () => Policy;
}

/** Services for hosts that ask for their mail, as far as the configuration wants them. */
export interface OnDemandServices {
  readonly handlers: Pick<ServerHandlers, 'atrn' | 'turn' | 'etrn'>;
  /** Ends what is under way; what was not taken stays queued. */
  close(): Promise<void>;
}

/** Makes them: ATRN where there is a listener for it, TURN and ETRN where they are asked for (RFC 2645 §4, RFC 1985 §3). */
export function createOnDemandServices(parts: OnDemandServicesParts): OnDemandServices {
  const { config, policy } = parts;
  const { domainsFile, requestsPerMinute } = config.odmr;
  const onDemand = new OnDemand({
    ...parts,
    route: (address, target) => policy().route(address, target),
    rights: () => ({ users: policy().users, ...(domainsFile === undefined ? {} : { domainsFile }) }),
    requestsPerMinute,
    longest: config.limits.sessionTime,
  });
  const starter =
    config.etrn && new QueueStarter({ ...parts, rules: config.etrn, relayDomains: () => policy().relayDomains });
  const hasListener = config.listeners.some(({ role }) => role === 'odmr');
  return {
    handlers: {
      ...(hasListener ? { atrn: (session, domains) => onDemand.atrn(session, domains) } : {}),
      ...(config.turn ? { turn: (session) => onDemand.turn(session) } : {}),
      ...(starter === undefined ? {} : { etrn: (session, request) => starter.etrn(session, request) }),
    },
    async close() {
      await Promise.all([onDemand.close(), starter?.close()]);
    },
  };
}
