import type { Server } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';
import type { LoginWays } from '../logins/usual-mechanisms.ts';
import { listenerOf, noMailListenerOf, trackingListenerOf } from './listener-of.ts';
import type { RunningListener } from './running-agent.ts';
import type { createTrackingService } from './tracking-service.ts';

/** What listens. */
interface Listening {
  readonly config: Config;
  readonly ways: LoginWays;
  readonly server: Pick<Server, 'listen'>;
  readonly tracking: Pick<ReturnType<typeof createTrackingService>, 'listen'>;
  readonly noMail: Pick<Server, 'listen'>;
}

/** Opens the listeners of a configuration, one after the other. Rejects when one cannot listen. */
export async function listenAll(listening: Listening): Promise<RunningListener[]> {
  const { config, ways, server, tracking, noMail } = listening;
  const open = (listener: Config['listeners'][number]) => {
    if (listener.role === 'mtqp') return tracking.listen(trackingListenerOf(listener));
    if (listener.role === 'none') return noMail.listen(noMailListenerOf(listener));
    const isPatient = listener.role === 'mx' && config.filters.greetingDelay !== undefined;
    return server.listen({ ...listenerOf(listener, ways), ...(isPatient ? { earlyTalk: 'refuse' } : {}) });
  };
  const listeners: RunningListener[] = [];
  for (const listener of config.listeners) listeners.push({ role: listener.role, ...(await open(listener)) });
  return listeners;
}
