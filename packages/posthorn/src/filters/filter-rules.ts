import type { Target } from '@posthorn/smtp/net/connect';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';

/** What becomes of mail while a filter cannot be asked. */
export type Fallback = 'accept' | 'tempfail' | 'reject';

/** The longest that a filter may take, each in milliseconds. */
export interface FilterTimes {
  readonly connect: number;
  /** To take what is sent to it. */
  readonly send: number;
  /** To answer one command. */
  readonly reply: number;
  /** To answer the end of a message, or to say that it is still at it. */
  readonly message: number;
}

/** Where a filter is, and how long it is waited for. */
export interface FilterRules {
  readonly target: Target;
  readonly times: FilterTimes;
  readonly fallback: Fallback;
}

const later = reply(451, '4.7.1', 'A filter for mail cannot be asked now');
const never = reply(550, '5.7.1', 'A filter for mail cannot be asked');

/** The reply that a filter earns its client by not being there; none where mail passes without it. */
export function fallbackReply(fallback: Fallback): Reply | undefined {
  if (fallback === 'accept') return undefined;
  return fallback === 'reject' ? never : later;
}
