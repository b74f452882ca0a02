import type { Reply, Status } from '../reply/reply.ts';

/** What became of a message for one recipient (RFC 3464 §2.3.3). */
export type Action = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** The words of whoever decided: a host's reply, or a text of another type, as `x-posthorn` (RFC 3464 §2.3.6). */
export type Diagnostic =
  | { readonly type: 'smtp'; readonly reply: Reply }
  | { readonly type: string; readonly text: string };

/** One recipient of a report (RFC 3464 §2.3, RFC 3886 §3.3). */
export interface ReportedRecipient<A extends string = Action> {
  /** The address as it was received, without type; `type;address` where it is no Internet address. */
  readonly finalRecipient: string;
  /** ORCPT as `type;address`, decoded; absent when the message came without. */
  readonly originalRecipient?: string;
  readonly action: A;
  readonly status: Status;
  /** The host that answered, a name or an address literal. */
  readonly remoteMta?: string;
  readonly diagnostic?: Diagnostic;
  /** The address this recipient had towards the remote host, where it differs (RFC 3461 §6.3). */
  readonly remoteRecipient?: string;
  /** Milliseconds since the epoch; a report keeps seconds. */
  readonly lastAttempt?: number;
  /** Only for `delayed`; milliseconds since the epoch. */
  readonly willRetryUntil?: number;
}

/** What the message/delivery-status part of a report tells (RFC 3464 §2). */
export interface DeliveryReport {
  /** The name of the host that reports. */
  readonly reportingMta: string;
  /** ENVID, decoded; absent when the message came without. */
  readonly envelopeId?: string;
  /** Whom the reporting host had the message from: its HELO name and IP address. */
  readonly receivedFromMta?: { readonly name: string; readonly address?: string };
  /** Milliseconds since the epoch. */
  readonly arrivalDate?: number;
  /** When the message was to be delivered at the latest; milliseconds since the epoch (RFC 2852 §5). */
  readonly deliverBy?: number;
  /** For how long, in seconds, or until when, in milliseconds since the epoch, it was to be held (RFC 4865 §5.1). */
  readonly futureRelease?: { readonly for: number } | { readonly until: number };
  /** At least one. */
  readonly recipients: readonly ReportedRecipient[];
}
