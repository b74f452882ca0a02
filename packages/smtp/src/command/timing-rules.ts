import { formatTimestamp, parseTimestamp } from '../bytes/timestamp.ts';
import { fault } from './fault.ts';
import type { DeliverBy, MailParameters, ParameterRule } from './parameters.ts';

/** A time that is over is no time to deliver in: only mode N may say so (RFC 2852 §4). */
function parseDeliverBy(value: string): DeliverBy | undefined {
  const match = /^([+-]?\d{1,9});([nr])(t?)$/i.exec(value);
  if (match === null) return undefined;
  // Without the sum, -0 would be a number of its own.
  const seconds = Number(match[1]) + 0;
  const mode = match[2]?.toUpperCase() === 'R' ? 'R' : 'N';
  if (mode === 'R' && seconds <= 0) return undefined;
  return match[3] === '' ? { seconds, mode } : { seconds, mode, trace: true };
}

/** DELIVERBY (RFC 2852 §4). */
export const by: ParameterRule<MailParameters> = {
  keyword: 'BY',
  extension: 'DELIVERBY',
  parse: (value = '') => {
    const deliverBy = parseDeliverBy(value);
    return deliverBy === undefined ? undefined : { deliverBy };
  },
  format: ({ deliverBy }) => {
    if (deliverBy === undefined) return undefined;
    const { seconds, mode, trace } = deliverBy;
    return { keyword: 'BY', value: `${seconds};${mode}${trace ? 'T' : ''}` };
  },
};

/** FUTURERELEASE, counted from now (RFC 4865 §3). */
export const holdFor: ParameterRule<MailParameters> = {
  keyword: 'HOLDFOR',
  extension: 'FUTURERELEASE',
  parse: (value = '') => (/^[1-9]\d{0,8}$/.test(value) ? { hold: { for: Number(value) } } : undefined),
  format: ({ hold }) =>
    hold !== undefined && 'for' in hold ? { keyword: 'HOLDFOR', value: String(hold.for) } : undefined,
};

/** FUTURERELEASE, a time in UTC (RFC 4865 §3). */
export const holdUntil: ParameterRule<MailParameters> = {
  keyword: 'HOLDUNTIL',
  extension: 'FUTURERELEASE',
  parse: (value = '') => {
    const until = /z$/i.test(value) ? parseTimestamp(value) : undefined;
    return until === undefined ? undefined : { hold: { until } };
  },
  format: ({ hold }) => {
    const value = hold !== undefined && 'until' in hold ? formatTimestamp(hold.until) : undefined;
    return value === undefined ? undefined : { keyword: 'HOLDUNTIL', value };
  },
};

/** MT-PRIORITY: there is neither a plus sign nor a zero in front (RFC 6710 §7). */
export const priority: ParameterRule<MailParameters> = {
  keyword: 'MT-PRIORITY',
  extension: 'MT-PRIORITY',
  malformed: fault.priority,
  parse: (value = '') => (/^(?:-?[1-9]|0)$/.test(value) ? { priority: Number(value) } : undefined),
  format: (typed) =>
    typed.priority === undefined ? undefined : { keyword: 'MT-PRIORITY', value: String(typed.priority + 0) },
};
