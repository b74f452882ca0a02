import type { TrackedRecipient, TrackingReport } from '@posthorn/smtp/report/tracking-report';
import type { TrackingServer, TrackingServerOptions } from '@posthorn/smtp/tracking';
import { createTrackingServer } from '@posthorn/smtp/tracking';
import { onTestFinished } from 'vitest';

export const query = {
  envelopeId: 't17.20261121@mail.example.org',
  secret: Buffer.from('5f0c7be1a94d2286f3b0117ce85d9a4463c2', 'hex'),
};

export function recipient(action: TrackedRecipient['action'], remoteMta?: string): TrackedRecipient {
  return {
    finalRecipient: 'carol@example.com',
    originalRecipient: 'rfc822;carol@example.com',
    action,
    status: action === 'relayed' ? '2.1.9' : '2.1.5',
    lastAttempt: 45_000,
    ...(remoteMta === undefined ? {} : { remoteMta }),
  };
}

export function reportBy(reportingMta: string, ...recipients: TrackedRecipient[]): TrackingReport {
  return { reportingMta, envelopeId: query.envelopeId, arrivalDate: 0, recipients };
}

/** A tracking server on a free port of loopback, closed when the test ends. */
export async function startTracking(
  options: Partial<TrackingServerOptions> & { readonly requireTls?: boolean } = {},
): Promise<{ readonly server: TrackingServer; readonly port: number; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const { requireTls = false, ...rest } = options;
  const server = createTrackingServer({
    hostname: 'mx.example.test',
    track: () => [reportBy('mx.example.test', recipient('delivered'))],
    onError: (error) => errors.push(error),
    ...rest,
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ host: '127.0.0.1', port: 0, requireTls });
  return { server, port: 'port' in address ? address.port : 0, errors };
}
