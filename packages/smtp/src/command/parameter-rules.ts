import { decodeXtext, encodeXtext } from '../bytes/xtext.ts';
import type { MailParameters, Notify, ParameterRule, RcptParameters } from './parameters.ts';

const size: ParameterRule<MailParameters> = {
  keyword: 'SIZE',
  extension: 'SIZE',
  parse: (value) => (value !== undefined && /^\d{1,20}$/.test(value) ? { size: Number(value) } : undefined),
  format: ({ size: octets }) => (octets === undefined ? undefined : { keyword: 'SIZE', value: String(octets) }),
};

const eightBit: ParameterRule<MailParameters> = {
  keyword: 'BODY',
  extension: '8BITMIME',
  parse: (value) => {
    const body = value?.toUpperCase();
    return body === '7BIT' || body === '8BITMIME' || body === 'BINARYMIME' ? { body } : undefined;
  },
  format: ({ body }) => (body === undefined ? undefined : { keyword: 'BODY', value: body }),
};

const smtputf8: ParameterRule<MailParameters> = {
  keyword: 'SMTPUTF8',
  extension: 'SMTPUTF8',
  parse: (value) => (value === undefined ? { smtputf8: true } : undefined),
  format: (typed) => (typed.smtputf8 ? { keyword: 'SMTPUTF8' } : undefined),
};

const ret: ParameterRule<MailParameters> = {
  keyword: 'RET',
  extension: 'DSN',
  parse: (value) => {
    const what = value?.toUpperCase();
    return what === 'FULL' || what === 'HDRS' ? { ret: what } : undefined;
  },
  format: (typed) => (typed.ret === undefined ? undefined : { keyword: 'RET', value: typed.ret }),
};

const envid: ParameterRule<MailParameters> = {
  keyword: 'ENVID',
  extension: 'DSN',
  parse: (value) => {
    const envelopeId = value === undefined || value.length > 100 ? undefined : decodeXtext(value);
    return envelopeId === undefined ? undefined : { envelopeId };
  },
  format: ({ envelopeId }) =>
    envelopeId === undefined ? undefined : { keyword: 'ENVID', value: encodeXtext(envelopeId) },
};

const auth: ParameterRule<MailParameters> = {
  keyword: 'AUTH',
  extension: 'AUTH',
  parse: (value) => {
    if (value === undefined || value.length > 500) return undefined;
    const identity = decodeXtext(value);
    return identity === undefined ? undefined : { auth: identity === '<>' ? null : identity };
  },
  format: (typed) =>
    typed.auth === undefined
      ? undefined
      : { keyword: 'AUTH', value: typed.auth === null ? '<>' : encodeXtext(typed.auth) },
};

function parseNotify(value: string | undefined): readonly Notify[] | undefined {
  const words = value?.toUpperCase().split(',') ?? [];
  if (words.length === 1 && words[0] === 'NEVER') return [];
  const known = words.filter((word): word is Notify => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY');
  const good = known.length > 0 && known.length === words.length && new Set(known).size === known.length;
  return good ? known : undefined;
}

const notify: ParameterRule<RcptParameters> = {
  keyword: 'NOTIFY',
  extension: 'DSN',
  parse: (value) => {
    const wanted = parseNotify(value);
    return wanted === undefined ? undefined : { notify: wanted };
  },
  format: (typed) =>
    typed.notify === undefined
      ? undefined
      : { keyword: 'NOTIFY', value: typed.notify.length === 0 ? 'NEVER' : typed.notify.join(',') },
};

function parseOrcpt(value: string | undefined): string | undefined {
  const match = value === undefined || value.length > 500 ? null : /^([!-*,-:<>-~]+);(.+)$/u.exec(value);
  if (match === null) return undefined;
  const [, type, text] = match as unknown as [string, string, string];
  const address = type.toLowerCase() === 'utf-8' ? text : decodeXtext(text);
  return address === undefined ? undefined : `${type};${address}`;
}

const orcpt: ParameterRule<RcptParameters> = {
  keyword: 'ORCPT',
  extension: 'DSN',
  parse: (value) => {
    const originalRecipient = parseOrcpt(value);
    return originalRecipient === undefined ? undefined : { originalRecipient };
  },
  format: ({ originalRecipient }) => {
    if (originalRecipient === undefined) return undefined;
    const semicolon = originalRecipient.indexOf(';') + 1;
    const [type, address] = [originalRecipient.slice(0, semicolon), originalRecipient.slice(semicolon)];
    const value = type.toLowerCase() === 'utf-8;' ? address : encodeXtext(address);
    return { keyword: 'ORCPT', value: type + value };
  },
};

/** The parameters that MAIL may have (RFC 1870 §4, RFC 6152 §2, RFC 6531 §3.1, RFC 3461 §4, RFC 4954 §5). */
export const mailRules: readonly ParameterRule<MailParameters>[] = [size, eightBit, smtputf8, ret, envid, auth];

/** The parameters that RCPT may have (RFC 3461 §4). */
export const rcptRules: readonly ParameterRule<RcptParameters>[] = [notify, orcpt];
