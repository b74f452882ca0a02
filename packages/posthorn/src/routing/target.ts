import type { NextHop } from '../queue/next-hop.ts';
import { parseRelay } from './parse-relay.ts';

/** Where a route leads, before an address is known; in a path `{local}` and `{domain}` stand for parts of it. */
export type Target =
  | { readonly kind: 'mx' }
  | RelayTarget
  | { readonly kind: 'maildir' | 'mbox'; readonly path: string }
  | { readonly kind: 'pipe'; readonly command: string }
  | { readonly kind: 'odmr' | 'discard' }
  | { readonly kind: 'nowhere'; readonly status: `5.${number}.${number}`; readonly text: string };

/** A host that a route names, or a socket of this machine. */
export type RelayTarget = Omit<Extract<NextHop, { kind: 'smtp' | 'lmtp' }>, 'key'>;

/**
 * Reads a target: `mx`, `smtp://[user:password@]host[:port][?tls=…]`, `smtps://…`, `lmtp://host[:port]`,
 * `lmtp:host[:port]`, `lmtp:/socket`, `maildir:path`, `mbox:path`, `pipe:command`, `odmr:`, `discard:` or
 * `error:5.y.z text`. A text instead of a target says in words what is wrong with it.
 */
export function parseTarget(text: string): Target | string {
  if (text === 'mx') return { kind: 'mx' };
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  const rest = text.slice(colon + 1);
  switch (scheme) {
    case 'maildir':
    case 'mbox':
      return parsePath(scheme, rest);
    case 'pipe':
      return parseCommand(rest.trim());
    case 'odmr':
    case 'discard':
      return rest === '' ? { kind: scheme } : `nothing may follow ${scheme}:`;
    case 'error':
      return parseError(rest);
    case 'smtp':
    case 'smtps':
      return rest.startsWith('//') ? parseRelay(scheme, rest.slice(2)) : `write ${scheme}://host`;
    case 'lmtp':
      return rest.startsWith('/') && !rest.startsWith('//')
        ? parseSocket(rest)
        : parseRelay('lmtp', rest.replace(/^\/\//, ''));
    default:
      return 'a target is mx, smtp://host, smtps://host, lmtp://host, lmtp:/socket, maildir:path, mbox:path, pipe:command, odmr:, discard: or error:5.y.z text';
  }
}

function parsePath(kind: 'maildir' | 'mbox', path: string): Target | string {
  if (path === '' || path.includes('\0')) return `a path has to follow ${kind}:`;
  const unknown = path
    .match(/\{[^}]*\}?/g)
    ?.find((placeholder) => placeholder !== '{local}' && placeholder !== '{domain}');
  return unknown === undefined ? { kind, path } : `${unknown} is not known in a path, only {local} and {domain} are`;
}

/** Parts of an address never stand in a command: the program finds them in its environment, where they are no shell's words. */
function parseCommand(command: string): Target | string {
  if (command === '' || /\p{Cc}/u.test(command)) return 'a command has to follow pipe:, without control characters';
  return { kind: 'pipe', command };
}

function parseSocket(path: string): Target | string {
  // The system's structure for the address of a socket holds no more.
  if (path.includes('\0') || Buffer.byteLength(path) > 107) return 'the path of a socket has at most 107 octets';
  return { kind: 'lmtp', path, lookupMx: false, tls: 'none' };
}

function parseError(rest: string): Target | string {
  const match = /^(5)\.(\d{1,3})\.(\d{1,3})(?: ([ -~]*))?$/.exec(rest);
  if (match === null) return 'error: needs a status 5.y.z and a text in ASCII behind it';
  const status = `5.${Number(match[2])}.${Number(match[3])}` as const;
  return { kind: 'nowhere', status, text: match[4]?.trim() || 'Mail for this address is not accepted' };
}
