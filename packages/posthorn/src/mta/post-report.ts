import { request } from 'node:https';
import { lookupOver, type StsFetchParts } from '../agents/fetch-sts-policy.ts';

const patience = 60_000;

/** Posts a report on TLS; whether it was taken (RFC 8460 §5.4). */
export function postReport(url: string, compressed: Buffer, parts: StsFetchParts): Promise<boolean> {
  const signal = AbortSignal.timeout(patience);
  const { ca } = parts.tlsMaterial ?? {};
  return new Promise((resolve) => {
    const asking = request(
      url,
      {
        method: 'POST',
        agent: false,
        signal,
        lookup: lookupOver(parts, signal),
        headers: { 'content-type': 'application/tlsrpt+gzip', 'content-length': compressed.length },
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.destroy();
        resolve(statusCode >= 200 && statusCode < 300);
      },
    );
    asking.on('error', () => resolve(false));
    asking.end(compressed);
  });
}
