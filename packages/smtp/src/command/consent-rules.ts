import { formatTimestamp, parseTimestamp } from '../bytes/timestamp.ts';
import type { MailParameters, ParameterRule, RcptParameters, RequiredRecipient } from './parameters.ts';
import { parseSolicitation } from './solicitation.ts';

/** NO-SOLICITING (RFC 3865 §2.3). */
export const solicit: ParameterRule<MailParameters> = {
  keyword: 'SOLICIT',
  extension: 'NO-SOLICITING',
  parse: (value = '') => {
    const classes = parseSolicitation(value);
    return classes === undefined ? undefined : { solicit: classes };
  },
  format: (typed) => (typed.solicit === undefined ? undefined : { keyword: 'SOLICIT', value: typed.solicit.join(',') }),
};

/** REQUIRETLS (RFC 8689 §3). */
export const requireTls: ParameterRule<MailParameters> = {
  keyword: 'REQUIRETLS',
  extension: 'REQUIRETLS',
  parse: (value) => (value === undefined ? { requireTls: true } : undefined),
  format: (typed) => (typed.requireTls ? { keyword: 'REQUIRETLS' } : undefined),
};

/** Fractions of a second are not permitted; without a letter R holds (RFC 7293 §3.1). */
function parseRequired(value: string): RequiredRecipient | undefined {
  const [, time = '', letter = 'R'] = /^([^.;]+)(?:;([cr]))?$/i.exec(value) ?? [];
  const since = parseTimestamp(time);
  return since === undefined ? undefined : { since, fallback: letter.toUpperCase() === 'C' ? 'C' : 'R' };
}

/** RRVS (RFC 7293 §3.1). */
export const rrvs: ParameterRule<RcptParameters> = {
  keyword: 'RRVS',
  extension: 'RRVS',
  parse: (value = '') => {
    const required = parseRequired(value);
    return required === undefined ? undefined : { rrvs: required };
  },
  format: (typed) => {
    if (typed.rrvs === undefined) return undefined;
    // An earlier second asks for more of the owner, a later one for less than was meant.
    const time = formatTimestamp(Math.floor(typed.rrvs.since / 1000) * 1000);
    return time === undefined ? undefined : { keyword: 'RRVS', value: `${time};${typed.rrvs.fallback}` };
  },
};
