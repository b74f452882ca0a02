import type { DeliverBy, MailParameters, Notify, RequiredRecipient, Tracking } from '@posthorn/smtp/command/parameters';
import type { TerminalVerb } from '@posthorn/smtp/protocol/transaction';

/** The form of the content that MAIL declared (RFC 6152 §2, RFC 3030 §3). */
type BodyKind = '7BIT' | '8BITMIME' | 'BINARYMIME';

/** One forward-path of a message and what its sender asked for about it (RFC 5321 §3.3, RFC 3461 §4). */
export interface Recipient {
  /** `local@domain` as it goes on the wire, least quoting, no brackets. */
  readonly address: string;
  /** ORCPT as `type;address`, xtext decoded; absent when the client gave none. */
  readonly originalRecipient?: string;
  /** Absent when the client gave no NOTIFY; an empty list is NEVER. */
  readonly notify?: readonly Notify[];
  /** Whom the sender means (RFC 7293 §3). */
  readonly rrvs?: RequiredRecipient;
  /** The reverse-path of this recipient's copy, where it has one of its own: it goes out apart from the others (RFC 5321 §3.9). */
  readonly reversePath?: string;
  /** Where its mail goes instead of where the address leads: what an alias names beside addresses, such as `pipe:command`. */
  readonly target?: string;
  /** The certifier of the message is not for it: another recipient of the same alias has it (RFC 3885 §3.2). */
  readonly untracked?: true;
  /** The alias that it is one of several members of: the tracker of the message learns of no other (RFC 3886 §3.3.3). */
  readonly alias?: string;
}

/** Where a message came from, for the log and for reports. */
interface Origin {
  /** Address of the client, or `local` for mail that Posthorn made itself. */
  readonly clientAddress: string;
  /** The name the client gave in HELO, EHLO or LHLO. */
  readonly helloName?: string;
  /** The authenticated identity, if any. */
  readonly login?: string;
  /** Keyword of the Received field's with clause (RFC 3848). */
  readonly protocol?: string;
}

/** All that is known about a message but its content; never changes once it is committed (RFC 5321 §2.3.1). */
export interface Envelope {
  /** Queue id: sorts by time of creation, letters and digits only. */
  readonly id: string;
  /** `local@domain`, or the empty string for the null reverse-path. */
  readonly reversePath: string;
  /** At least one. */
  readonly recipients: readonly Recipient[];
  /** When responsibility was taken, in milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Octets of the content as stored. */
  readonly size: number;
  readonly body: BodyKind;
  readonly smtputf8: boolean;
  /** RET as given (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID, xtext decoded (RFC 3461 §4.4). */
  readonly envelopeId?: string;
  /** BY as an absolute time: `until` in milliseconds since the epoch (RFC 2852 §4). */
  readonly deliverBy?: Pick<DeliverBy, 'mode' | 'trace'> & { readonly until: number };
  /** No attempt is made before, in milliseconds since the epoch (RFC 4865 §4). */
  readonly heldUntil?: number;
  /** What that was asked for by, as given (RFC 4865 §4). */
  readonly hold?: NonNullable<MailParameters['hold']>;
  /** -9 to 9; absent counts as 0 (RFC 6710 §4). */
  readonly priority?: number;
  /** Classes of solicitation (RFC 3865 §2). */
  readonly solicit?: readonly string[];
  /** The certifier of a message whose way is to be known (RFC 3885 §3). */
  readonly tracking?: Pick<Tracking, 'certifier'> & {
    /** Until when, as the sender wants it and hosts behind this one are told; milliseconds since the epoch. */
    readonly until: number;
    /** Until when this host knows it; as there, and never less than the message is in the queue. */
    readonly keptUntil: number;
  };
  /** Whether it may pass over verified TLS only (RFC 8689 §4). */
  readonly requireTls?: true;
  /** Whether its sender wants it delivered even where a policy of the recipient's domain asks for better TLS (RFC 8689 §3). */
  readonly tlsOptional?: true;
  /** The mailbox of who submitted it, told by a client that is trusted to know; absent counts as unknown (RFC 4954 §5). */
  readonly submitter?: string;
  /** The verb that opened its transaction where that was not MAIL: it is for terminals (RFC 821 §3.4). */
  readonly verb?: TerminalVerb;
  /** What filters found about it that did not keep it from being taken: the sum of their scores, and a few words of each. */
  readonly judgement?: { readonly score: number; readonly findings: readonly string[] };
  /** Whether nobody here vouches for who sent it: it is not signed as mail of one's own, also not where a list passes it on. */
  readonly isStranger?: true;
  readonly origin: Origin;
}
