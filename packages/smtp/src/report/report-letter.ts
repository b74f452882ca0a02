import type { NamedMailbox } from '../message/address-list.ts';
import type { OriginalMessage } from './returned-content.ts';

/** What a report to people is written with, whatever it tells. */
export interface ReportLetter {
  readonly from: NamedMailbox;
  readonly to: readonly NamedMailbox[];
  /** The message that it is about; its header goes with it, and its body where that is given. */
  readonly original: OriginalMessage;
  /** What people read first, instead of a sentence. */
  readonly text?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of this host, minutes east of UTC; default 0. */
  readonly offsetMinutes?: number;
  /** Octets of chance. */
  readonly random: (octets: number) => Buffer;
}
