import { formatPath, type Mistake } from './mistake.ts';
import { elementsOf, isRecord, type Plain } from './plain.ts';

type Listener = { readonly [key: string]: Plain };

const defaultPorts: Readonly<Record<string, number>> = {
  mx: 25,
  submission: 587,
  submissions: 465,
  odmr: 366,
  mtqp: 1038,
  none: 25,
};
const wildcards = ['0.0.0.0', '::'];

/** What is wrong with listeners that each are well formed. */
export function listenerMistakes(config: { readonly [key: string]: Plain }): Mistake[] {
  const listeners = elementsOf(config.listeners).map((listener) => (isRecord(listener) ? listener : {}));
  const hasTls = config.tls !== undefined;
  return listeners.flatMap((listener, index) => [
    ...lmtpMistakes(listener, index),
    ...(hasTls ? [] : tlsMistakes(listener, index)),
    ...doubleMistakes(listeners, index),
  ]);
}

/** LMTP stays off port 25, where it would be taken for SMTP (RFC 2033 §5). */
function lmtpMistakes({ role, path, port }: Listener, index: number): Mistake[] {
  if (role !== 'lmtp') return [];
  if (port === 25) {
    const message = 'must not be 25 for LMTP: hosts that send mail expect SMTP there';
    return [{ path: formatPath(['listeners', index, 'port']), message, remedy: 'Use a path or port 24.' }];
  }
  if ((path === undefined) !== (port === undefined)) return [];
  const message = path === undefined ? 'says not where to listen' : 'has both a path and a port';
  const remedy = 'Write either a path, such as "/run/posthorn/lmtp.sock", or a port, such as 24.';
  return [{ path: formatPath(['listeners', index]), message, remedy }];
}

/** Logins are taken within TLS only, so these roles are of no use without it (RFC 8314 §3.3, RFC 4954 §4). */
function tlsMistakes({ role, requireTls }: Listener, index: number): Mistake[] {
  const remedy = 'Add tls with the files of a certificate and its key.';
  if (role === 'submission' || role === 'submissions') {
    return [{ path: formatPath(['listeners', index]), message: `has the role ${role}, which needs TLS`, remedy }];
  }
  if (requireTls !== true) return [];
  return [{ path: formatPath(['listeners', index, 'requireTls']), message: 'needs a certificate', remedy }];
}

function doubleMistakes(listeners: readonly Listener[], index: number): Mistake[] {
  const listener = listeners[index] ?? {};
  const first = listeners.findIndex((other) => isSamePlace(other, listener));
  if (first === index || first === -1) return [];
  const message = `listens where ${formatPath(['listeners', first])} does`;
  return [{ path: formatPath(['listeners', index]), message, remedy: 'Give it another port, host or path.' }];
}

function isSamePlace(one: Listener, other: Listener): boolean {
  if (one.path !== undefined || other.path !== undefined) return one.path === other.path;
  const [port, otherPort] = [one, other].map(({ role, port }) => port ?? defaultPorts[String(role)]);
  if (port === undefined || port === 0 || port !== otherPort) return false;
  const [host, otherHost] = [one, other].map(({ role, host }) => host ?? (role === 'lmtp' ? '127.0.0.1' : '::'));
  return host === otherHost || [host, otherHost].some((address) => wildcards.includes(String(address)));
}
