/** What holds for one mailbox. */
export interface MailboxSettings {
  /** The name of its owner, as VRFY tells it (RFC 5321 §3.5.1). */
  readonly fullName?: string;
  /** Octets that it may hold. */
  readonly quota?: number;
  /** Octets of the largest message that it takes. */
  readonly messageSize?: number;
  /** Whether it takes no mail for now (RFC 3463 §3.3). */
  readonly disabled?: boolean;
}

/** Where the mail of somebody who moved goes (RFC 5321 §3.4). */
export interface Forward {
  /** The new address. */
  readonly to: string;
  /**
   * `silent`: the sender learns nothing; `tell`: 251 names the new address; `refuse`: 551 names it and nothing is
   * forwarded (RFC 5321 §3.4).
   */
  readonly mode: 'silent' | 'tell' | 'refuse';
  /** Whether the mailbox here gets a copy. */
  readonly keepCopy?: boolean;
  /** Whether no sender must ever learn the new address: failures behind it come back to this host (RFC 3461 §5.2.7.4). */
  readonly confidential?: boolean;
}

/** The numbers of the telephone network that a domain stands for (RFC 3191 §3). */
interface GstnGateway {
  /** Services that it has, such as FAX; all when absent. */
  readonly services?: readonly string[];
}

/** A mailing list: whoever writes to it writes to its members, and failures come back to its owner (RFC 5321 §3.9.2). */
export interface DirectoryList {
  /** As targets of an alias that are addresses; or what tells them as they are now, and throws Failure `storage` when it cannot. */
  readonly members?: readonly string[] | (() => readonly string[]);
  /** As targets of an alias; at least one. */
  readonly owner: readonly string[];
}

/** One domain that is served. */
export interface DirectoryDomain {
  /** Local-parts that have a mailbox, or `*`: all have. */
  readonly mailboxes?: readonly string[] | '*';
  /** By local-part: `local@domain`, or `local` in this domain, `\` before it to look for no further alias; `|command`, `/file`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** By local-part: users that moved. */
  readonly forwards?: Readonly<Record<string, Forward>>;
  /** By local-part; their owners get what is written to `owner-…`, `…-owner` and `…-request`, too (RFC 2142 §6). */
  readonly lists?: Readonly<Record<string, DirectoryList>>;
  /** By local-part. */
  readonly mailboxSettings?: Readonly<Record<string, MailboxSettings>>;
  /** Octets that each of its mailboxes may hold, where its settings say nothing else. */
  readonly quota?: number;
  readonly gateway?: GstnGateway;
  /** Whether mail for other local-parts is passed on to where the domain really lives. */
  readonly relay?: boolean;
  /** Whether local-parts that differ in case alone are different; off by default (RFC 5321 §2.4). */
  readonly caseSensitive?: boolean;
  /** Each of its characters parts a user from a detail; `+` by default, empty: none does (RFC 5233 §4). */
  readonly separator?: string;
}
