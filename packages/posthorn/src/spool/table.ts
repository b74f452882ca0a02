/** Which keys a walk over a table wants. */
export interface KeyRange {
  /** The first key wanted. */
  readonly start: string;
  /** The first key not wanted any more; absent: to the end. */
  readonly end?: string;
  /** At most so many. */
  readonly limit: number;
}

/** Values by key, in the order of the keys; keys are ASCII. Readers see all that has been committed. */
export interface Table {
  get(key: string): Buffer | undefined;
  keys(range: KeyRange): string[];
  count(): number;
}

/** What a spool is made of. */
export interface Tables<T = Table> {
  /** id → record: messages that no attempt has been recorded for, with their content up to one part. */
  readonly messages: T;
  /** id → envelope and state: messages that are partly settled, deferred or held. */
  readonly states: T;
  /** id and number → content that stands in no record of `messages`. */
  readonly parts: T;
  /** time and id → nothing: messages that may be claimed, by the time they are due. */
  readonly due: T;
  /** domain and id → nothing: messages in `states` by the domains of those who wait for them. */
  readonly domains: T;
  /** id → nothing: messages that have parts, but no record yet. */
  readonly drafts: T;
  /** key → what is known of a transaction that another session may go on with, and the id of its draft or message. */
  readonly checkpoints: T;
  /** ENVID, certifier and id → what is known of a tracked message; time and that key → nothing: when it may be forgotten. */
  readonly tracks: T;
  /** key → until when no other message with it is stored. */
  readonly once: T;
}

/** One change to one table; without a value the key is removed. */
export interface Write {
  readonly table: keyof Tables;
  readonly key: string;
  readonly value?: Buffer;
}

/** A set of tables that change together. */
export interface Backend {
  readonly tables: Tables;
  /**
   * Makes all of the writes durable, or none: resolves when they are on disk. New mail leaves a reserve of room free, so
   * that what is queued can still be settled. Rejects with Failure `full` or `storage`.
   */
  commit(writes: readonly Write[], use: 'new mail' | 'queued mail'): Promise<void>;
  close(): Promise<void>;
}
