import { isIP } from 'node:net';

/** Where a host listens. */
export type ServerAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Reads `host`, `host:port`, `[IPv6]:port`, an IPv6 address or the path of a socket; undefined when it is none of them. */
export function parseServer(text: string, defaultPort: number): ServerAddress | undefined {
  if (/^\.{0,2}\//.test(text)) return { path: text };
  if (isIP(text) === 6) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port > 65_535) return undefined;
  return match?.[1] !== undefined && isIP(host) !== 6 ? undefined : { host, port };
}
