import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { MailParameters } from '@posthorn/smtp/command/parameters';
import { certifierOf, composeTrackingSecret, formatTrackingSecret, formatTrackingUri } from '@posthorn/smtp/tracking';
import { printable } from './terminal.ts';

/** What the sender of a tracked message keeps, to ask for it later (RFC 3885 §3.1). */
export interface SentTracking {
  readonly envelopeId: string;
  /** In base64. */
  readonly secret: string;
  /** Whom to ask first, as a URI; absent when the message went into a socket. */
  readonly uri?: string;
}

/** What MAIL is told of a message that is to be tracked, and what its sender keeps. */
export interface NewTracking {
  readonly mail: Pick<MailParameters, 'envelopeId' | 'tracking'>;
  readonly sent: SentTracking;
}

/** Makes an ENVID that no other message has, and a secret; its host is the server that takes the message, to be asked first (RFC 3885 §3.2). */
export function newTracking({ host }: { readonly host?: string }): NewTracking {
  const envelopeId = uniqueEnvid(host !== undefined && isIP(host) === 0 ? host : hostname());
  const secret = composeTrackingSecret(randomBytes);
  const uri = host === undefined ? {} : { uri: formatTrackingUri({ host, envelopeId, secret }) };
  return {
    mail: { envelopeId, tracking: { certifier: certifierOf(secret) } },
    sent: { envelopeId, secret: formatTrackingSecret(secret), ...uri },
  };
}

/** A host whose name is too long for an ENVID is named by its SHA-1 (RFC 3885 §3.2). */
function uniqueEnvid(host: string): string {
  const local = randomBytes(16).toString('hex');
  const name = host.length > 60 ? createHash('sha1').update(host).digest('base64').replace(/=$/, '') : host;
  return `${local}@${name}`;
}

/** Says how to ask where a message is. */
export function describeTracking({ envelopeId, secret, uri }: SentTracking): string {
  return printable(uri === undefined ? `track ${envelopeId} --secret ${secret}` : `track ${uri}`);
}
