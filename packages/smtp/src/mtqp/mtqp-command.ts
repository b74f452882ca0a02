import { isDomain } from '../address/domain.ts';
import { type MtqpReply, mtqpReply } from './mtqp-reply.ts';
import { formatTrackingSecret, parseTrackingSecret } from './tracking-secret.ts';
import { formatUniqueEnvid, parseUniqueEnvid } from './unique-envid.ts';

/** Which message, and what shows that the client may ask (RFC 3887 §4). */
export interface TrackingQuery {
  /** ENVID, decoded and without brackets. */
  readonly envelopeId: string;
  readonly secret: Buffer;
}

/** A command of the tracking query protocol (RFC 3887 §12). */
export type MtqpCommand =
  | ({ readonly verb: 'TRACK' } & TrackingQuery)
  | { readonly verb: 'COMMENT'; readonly text: string }
  | { readonly verb: 'STARTTLS'; readonly domain: string }
  | { readonly verb: 'QUIT' };

/** The name of a command. */
export type MtqpVerb = MtqpCommand['verb'];

const unknown = mtqpReply('BAD', '', 'Unknown command');
const faultyTrack = mtqpReply('BAD', '', 'Syntax: TRACK envid secret');
const faultyStartTls = mtqpReply('BAD', '', 'Syntax: STARTTLS domain');
const faultyQuit = mtqpReply('BAD', '', 'Syntax: QUIT');

/** Reads a command line without its CRLF, or gives the reply that a fault earns (RFC 3887 §2.2, RFC 3887 §2.3). */
export function parseMtqpCommand(line: string): MtqpCommand | MtqpReply {
  const end = line.search(/[ \t]/);
  const verb = (end < 0 ? line : line.slice(0, end)).toUpperCase();
  const rest = end < 0 ? '' : line.slice(end + 1);
  // What a comment says is ignored, so that nothing is wrong with it.
  if (verb === 'COMMENT') return { verb, text: rest };
  if (!/^[\t -~]*$/.test(line)) return unknown;
  const words = rest.split(/[ \t]+/).filter((word) => word !== '');
  if (verb === 'TRACK') return parseTrack(words);
  if (verb === 'STARTTLS') return parseStartTls(words);
  if (verb === 'QUIT') return words.length === 0 ? { verb } : faultyQuit;
  return unknown;
}

/** Writes a command with its CRLF (RFC 3887 §12). */
export function formatMtqpCommand(command: MtqpCommand): string {
  switch (command.verb) {
    case 'TRACK':
      return `TRACK ${formatUniqueEnvid(command.envelopeId)} ${formatTrackingSecret(command.secret)}\r\n`;
    case 'COMMENT':
      return `COMMENT${command.text === '' ? '' : ` ${command.text}`}\r\n`;
    case 'STARTTLS':
      return `STARTTLS ${command.domain}\r\n`;
    default:
      return 'QUIT\r\n';
  }
}

function parseTrack([envid, text, ...more]: readonly string[]): MtqpCommand | MtqpReply {
  if (envid === undefined || text === undefined || more.length > 0) return faultyTrack;
  const envelopeId = parseUniqueEnvid(envid);
  const secret = parseTrackingSecret(text);
  return envelopeId === undefined || secret === undefined ? faultyTrack : { verb: 'TRACK', envelopeId, secret };
}

function parseStartTls([domain, ...more]: readonly string[]): MtqpCommand | MtqpReply {
  if (domain === undefined || more.length > 0 || !isDomain(domain)) return faultyStartTls;
  return { verb: 'STARTTLS', domain };
}
