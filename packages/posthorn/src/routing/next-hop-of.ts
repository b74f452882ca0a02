import type { MailboxBounds } from '../queue/mailbox-bounds.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { fillPath, type PathParts } from './mailbox-path.ts';
import type { RelayTarget, Target } from './target.ts';

const relays = new WeakMap<RelayTarget, NextHop>();

/** What an address adds to its target. */
export interface HopParts extends PathParts {
  readonly bounds?: MailboxBounds;
  /** What stood behind the separator. */
  readonly extension?: string;
  /** Whether it is a number behind a gateway (RFC 3191 §3). */
  readonly gateway?: boolean;
}

/** What a target is for one address: the path of its mailbox, the domain whose exchangers are asked. */
export function nextHopOf(target: Target, parts: HopParts): NextHop {
  switch (target.kind) {
    case 'mx':
      return { kind: 'mx', key: `mx:${parts.domain}`, domain: parts.domain };
    case 'smtp':
    case 'lmtp':
      return relayHop(target);
    case 'maildir':
    case 'mbox': {
      const path = fillPath(target.path, parts);
      if (path === undefined) return nextHopOf(tooLong, parts);
      const { bounds } = parts;
      return { kind: target.kind, key: `${target.kind}:${path}`, path, ...(bounds === undefined ? {} : { bounds }) };
    }
    case 'pipe':
      return pipeHop(target.command, parts);
    case 'odmr':
      return { kind: 'odmr', key: `odmr:${parts.domain}`, domain: parts.domain };
    case 'discard':
      return { kind: 'discard', key: 'discard:' };
    case 'nowhere':
      return { ...target, key: `nowhere:${target.status} ${target.text}` };
  }
}

const tooLong: Target = { kind: 'nowhere', status: '5.1.1', text: 'The name of the mailbox is too long' };

function pipeHop(command: string, { extension, gateway }: HopParts): NextHop {
  const key = `pipe:${command}${extension === undefined ? '' : ` +${extension}`}`;
  return {
    kind: 'pipe',
    key,
    command,
    ...(extension === undefined ? {} : { extension }),
    ...(gateway === true ? { gateway } : {}),
  };
}

/** The same object for all its mail, as it is asked for once a recipient. */
function relayHop(target: RelayTarget): NextHop {
  const known = relays.get(target);
  if (known !== undefined) return known;
  const hop = { ...target, key: relayKey(target) };
  relays.set(target, hop);
  return hop;
}

/** Without the password: keys are shown and logged. */
function relayKey({ kind, host = '', port, path, lookupMx, tls, login }: RelayTarget): string {
  if (path !== undefined) return `${kind}:${path}`;
  const name = lookupMx ? host : `[${host}]`;
  return `${kind}://${login === undefined ? '' : `${encodeURIComponent(login.user)}@`}${name}:${port}?tls=${tls}`;
}
