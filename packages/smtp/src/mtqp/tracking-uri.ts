import { isDomain } from '../address/domain.ts';
import { isIPv6Text } from '../address/ip-text.ts';
import type { TrackingQuery } from './mtqp-command.ts';
import { formatTrackingSecret, parseTrackingSecret } from './tracking-secret.ts';
import { formatUniqueEnvid, parseUniqueEnvid } from './unique-envid.ts';

/** Which server to ask about which message (RFC 3887 §9.3). */
export interface TrackingUri extends TrackingQuery {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port?: number;
}

const form = /^mtqp:\/\/(\[[0-9a-f:.]+\]|[^\s/:?#@[\]]+)(?::(\d{1,5}))?\/track\/([^\s/?#]+)\/([^\s/?#]+)$/i;

/** Reads an `mtqp:` URI; undefined when it is none (RFC 3887 §9.3). */
export function parseTrackingUri(text: string): TrackingUri | undefined {
  const match = text.length > 1000 ? null : form.exec(text);
  if (match === null) return undefined;
  const [, authority = '', digits, envid = '', base64 = ''] = match;
  const host = authority.replace(/^\[|\]$/g, '');
  const port = digits === undefined ? undefined : Number(digits);
  const envelopeId = parseUniqueEnvid(decode(envid) ?? '');
  const secret = parseTrackingSecret(decode(base64) ?? '');
  if (!(authority.startsWith('[') ? isIPv6Text(host) : isDomain(host))) return undefined;
  if (envelopeId === undefined || secret === undefined || (port !== undefined && (port < 1 || port > 65_535))) {
    return undefined;
  }
  return { host, ...(port === undefined ? {} : { port }), envelopeId, secret };
}

/** Writes an `mtqp:` URI (RFC 3887 §9.3, RFC 3887 §9.4). */
export function formatTrackingUri({ host, port, envelopeId, secret }: TrackingUri): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  return `mtqp://${authority}/track/${encode(formatUniqueEnvid(envelopeId))}/${encode(formatTrackingSecret(secret))}`;
}

/** Beyond the three that RFC 3887 §9.4 names, all that no path of a URI may hold (RFC 3986 §3.3). */
function encode(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function decode(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
