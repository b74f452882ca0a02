import { isIP } from 'node:net';
import { normalizeDomain } from '@posthorn/smtp/address/normalize-domain';
import type { RelayTls } from '../queue/next-hop.ts';
import type { RelayTarget } from './target.ts';

type Scheme = 'smtp' | 'smtps' | 'lmtp';

const tlsModes: readonly string[] = [
  'none',
  'opportunistic',
  'encrypt',
  'starttls',
  'implicit',
  'dane',
  'mta-sts',
] satisfies RelayTls[];

/** Reads `[user:password@]host[:port][?tls=…]`; a text says what is wrong with it (RFC 3986 §3.2). */
export function parseRelay(scheme: Scheme, text: string): RelayTarget | string {
  const [before = '', query, ...more] = text.split('?');
  if (more.length > 0) return 'a target has one ? at most';
  const authority = before.replace(/\/$/, '');
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1));
  if (typeof host === 'string') return host;
  const login = at < 0 ? undefined : parseLogin(authority.slice(0, at));
  if (typeof login === 'string') return login;
  const given = parseTls(scheme, query);
  if (typeof given === 'object') return given.mistake;
  // Credentials never go in clear text by default, nor over a connection that an attacker can keep from being secured.
  const tls = given ?? (host.port === 465 ? 'implicit' : defaultTls(scheme, login !== undefined));
  if (
    login !== undefined &&
    (tls === 'opportunistic' || tls === 'encrypt' || (tls === 'none' && !isLoopback(host.name)))
  ) {
    return 'a login needs tls=starttls or tls=implicit';
  }
  const port = host.port ?? (scheme === 'lmtp' ? 24 : tls === 'implicit' ? 465 : 25);
  const lookupMx = scheme === 'smtp' && port === 25 && !host.bracketed && isIP(host.name) === 0;
  const kind = scheme === 'lmtp' ? 'lmtp' : 'smtp';
  return { kind, host: host.name, port, lookupMx, tls, ...(login === undefined ? {} : { login }) };
}

function defaultTls(scheme: Scheme, login: boolean): RelayTls {
  if (scheme === 'lmtp') return login ? 'starttls' : 'none';
  return login ? 'starttls' : 'opportunistic';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

interface Host {
  readonly name: string;
  readonly bracketed: boolean;
  readonly port?: number;
}

function parseHost(text: string): Host | string {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return 'a host is a name, an IPv4 address, or something in brackets; a port may follow';
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) return 'a port is a number from 1 to 65535';
  const bracketed = match[1] !== undefined;
  const given = (match[1] ?? match[2] ?? '').replace(/^ipv6:/i, '');
  const name = isIP(given) === 0 ? normalizeDomain(given) : given.toLowerCase();
  if (name === undefined || name.startsWith('['))
    return given === '' ? 'the host is missing' : `${given} is no name of a host`;
  return { name, bracketed, ...(port === undefined ? {} : { port }) };
}

function parseLogin(text: string): { user: string; password: string } | string {
  const colon = text.indexOf(':');
  const user = decode(text.slice(0, Math.max(colon, 0)));
  const password = decode(text.slice(colon + 1));
  if (!user || !password) return 'a login is user:password, with %xx for characters such as @ : / ? and %';
  return { user, password };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The mode that the text asks for, undefined when it does not. */
function parseTls(scheme: Scheme, query: string | undefined): RelayTls | undefined | { mistake: string } {
  const given = query === undefined || query === '' ? undefined : /^tls=(.*)$/.exec(query)?.[1];
  if (query && (given === undefined || !tlsModes.includes(given))) {
    return { mistake: `behind ? only ${tlsModes.map((mode) => `tls=${mode}`).join(', ')} are known` };
  }
  if (scheme === 'lmtp' && (given === 'dane' || given === 'mta-sts')) {
    return { mistake: `tls=${given} is not for LMTP` };
  }
  if (scheme !== 'smtps') return given as RelayTls | undefined;
  return given === undefined || given === 'implicit'
    ? 'implicit'
    : { mistake: `smtps:// is tls=implicit, not tls=${given}` };
}
