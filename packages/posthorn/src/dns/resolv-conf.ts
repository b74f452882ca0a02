import { type NameServer, parseNameServer } from './name-server.ts';

/** What the system's resolver configuration says, as far as a mail server heeds it: resolv.conf(5). */
export interface ResolvConf {
  /** At least one. */
  readonly servers: readonly NameServer[];
  /** Milliseconds for one try. */
  readonly timeout?: number;
  /** Rounds over the servers. */
  readonly attempts?: number;
  /** Whether the administrator vouches for the way to the servers. */
  readonly trustAd: boolean;
}

/** More servers only make a failing look-up longer; the C library stops at three. */
const mostServers = 3;

/**
 * Reads resolv.conf; without a name server in it, the one on this machine is asked. Search lists are not heeded: mail
 * never goes to a name that was completed by guessing (RFC 5321 §2.3.5).
 */
export function parseResolvConf(text: string): ResolvConf {
  const servers: NameServer[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'options') options.push(...values);
    const server = keyword === 'nameserver' ? parseNameServer(values[0] ?? '') : undefined;
    if (server !== undefined && servers.length < mostServers) servers.push(server);
  }
  if (servers.length === 0) servers.push({ address: '127.0.0.1', port: 53 });
  const timeout = numberOption(options, 'timeout:', 30);
  const attempts = numberOption(options, 'attempts:', 5);
  return {
    servers,
    trustAd: options.includes('trust-ad'),
    ...(timeout !== undefined && { timeout: timeout * 1000 }),
    ...(attempts !== undefined && { attempts }),
  };
}

function numberOption(options: readonly string[], prefix: string, most: number): number | undefined {
  const text = options.findLast((option) => option.startsWith(prefix))?.slice(prefix.length) ?? '';
  return /^[1-9]\d{0,4}$/.test(text) ? Math.min(Number(text), most) : undefined;
}
