import type { TlsSettings } from '@posthorn/smtp/net/server-tls';
import { createTrackingServer, type TrackingServer } from '@posthorn/smtp/tracking';
import type { TrackStore } from '../queue/track-store.ts';
import type { Log } from './log.ts';
import { type TrackingContext, trackingReports } from './tracking-reports.ts';

/** What the tracking service works with. */
export interface TrackingServiceParts extends TrackingContext {
  readonly tracks: TrackStore;
  readonly tls?: TlsSettings;
  readonly limits: { readonly connections: number; readonly connectionsPerAddress: number };
  readonly log: Log;
  readonly now: () => number;
}

/** Answers tracking queries, and forgets what is too old to be asked for. */
export interface TrackingService extends Pick<TrackingServer, 'listen' | 'reload' | 'sessions'> {
  close(grace: number): Promise<void>;
}

/** Milliseconds between two looks for what is to be forgotten. */
const sweepTime = 10 * 60_000;

/** Makes the service; it listens when `listen` is called (RFC 3887 §2). */
export function createTrackingService(parts: TrackingServiceParts): TrackingService {
  const { hostname, tracks, tls, log, now } = parts;
  // A client of it may be silent for longer than one that brings mail (RFC 3887 §2.5).
  const { connections, connectionsPerAddress } = parts.limits;
  const server = createTrackingServer({
    hostname,
    limits: { connections, connectionsPerAddress },
    ...(tls === undefined ? {} : { tls }),
    track: (query) => trackingReports(tracks.find(query), parts),
    onError: (error) => log.error({ err: error }, 'a tracking query cannot be answered'),
  });
  let sweeping: Promise<void> | undefined;
  let closed = false;

  async function sweep(): Promise<void> {
    try {
      while (!closed && (await tracks.sweep(now())));
    } catch (error) {
      log.error({ err: error }, 'old tracking data cannot be removed');
    }
  }

  function sweepOnce(): void {
    sweeping ??= sweep().finally(() => {
      sweeping = undefined;
    });
  }

  const timer = setInterval(sweepOnce, sweepTime).unref();
  sweepOnce();
  return {
    get sessions() {
      return server.sessions;
    },
    listen: (listener) => server.listen(listener),
    reload: (change) => server.reload(change),
    async close(grace) {
      closed = true;
      clearInterval(timer);
      await server.close({ grace });
      await sweeping;
    },
  };
}
