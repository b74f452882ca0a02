import type { Duplex } from 'node:stream';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';

/** Milliseconds that a proxy may take for its header. */
const headerTime = 5_000;

/**
 * Takes the header of a proxy from the beginning of a stream, and leaves the stream paused with what follows it;
 * undefined when there is none in time (PROXY protocol §2).
 */
export function takeProxyHeader(stream: Duplex): Promise<ProxyHeader | undefined> {
  return new Promise((resolve) => {
    let octets: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => finish(undefined), headerTime);

    function take(bytes: Buffer): void {
      octets = Buffer.concat([octets, bytes]);
      const header = parseProxyHeader(octets);
      if (header === 'invalid') finish(undefined);
      else if (header !== 'incomplete') finish(header);
    }

    function stop(): void {
      finish(undefined);
    }

    function finish(header: ProxyHeader | undefined): void {
      clearTimeout(timer);
      stream.off('data', take).off('end', stop).off('close', stop);
      stream.pause();
      if (header !== undefined && header.size < octets.length) stream.unshift(octets.subarray(header.size));
      resolve(header);
    }

    stream.on('data', take).on('end', stop).on('close', stop);
  });
}
