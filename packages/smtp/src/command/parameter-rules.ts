import { formatUnitext, parseUnitext } from '../bytes/unitext.ts';
import { decodeXtext, encodeXtext } from '../bytes/xtext.ts';
import { requireTls, rrvs, solicit } from './consent-rules.ts';
import type { MailParameters, Notify, ParameterRule, RcptParameters } from './parameters.ts';
import { by, holdFor, holdUntil, priority } from './timing-rules.ts';
import { mtrk, transid } from './tracing-rules.ts';

/** Reads a value that is at most so many characters of xtext. */
function readXtext(value: string | undefined, longest: number): string | undefined {
  return value === undefined || value === '' || value.length > longest ? undefined : decodeXtext(value);
}

/** The one of some keywords, upper case, that the value is in any case; no letter outside of ASCII counts as one. */
function readKeyword<K extends string>(value: string | undefined, keywords: readonly K[]): K | undefined {
  return value !== undefined && /^[a-z0-9]+$/i.test(value)
    ? keywords.find((keyword) => keyword === value.toUpperCase())
    : undefined;
}

const size: ParameterRule<MailParameters> = {
  keyword: 'SIZE',
  extension: 'SIZE',
  parse: (value) =>
    value !== undefined && /^\d{1,20}$/.test(value)
      ? { size: Math.min(Number(value), Number.MAX_SAFE_INTEGER) }
      : undefined,
  format: ({ size: octets }) => (octets === undefined ? undefined : { keyword: 'SIZE', value: String(octets) }),
};

const body: ParameterRule<MailParameters> = {
  keyword: 'BODY',
  extension: '8BITMIME',
  parse: (value, offered) => {
    const kind = readKeyword(value, ['7BIT', '8BITMIME', 'BINARYMIME']);
    return kind === undefined || (kind === 'BINARYMIME' && !offered.has(kind)) ? undefined : { body: kind };
  },
  format: (typed) => (typed.body === undefined ? undefined : { keyword: 'BODY', value: typed.body }),
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
    const what = readKeyword(value, ['FULL', 'HDRS']);
    return what === undefined ? undefined : { ret: what };
  },
  format: (typed) => (typed.ret === undefined ? undefined : { keyword: 'RET', value: typed.ret }),
};

// What is decoded goes into reports: a line break would write fields of its own there.
const printable = /^[ -~]+$/;
const printableUtf8 = /^\P{Cc}+$/u;

const envid: ParameterRule<MailParameters> = {
  keyword: 'ENVID',
  extension: 'DSN',
  orExtension: 'MTRK',
  parse: (value) => {
    const envelopeId = readXtext(value, 100);
    return envelopeId !== undefined && printable.test(envelopeId) ? { envelopeId } : undefined;
  },
  format: ({ envelopeId }) =>
    envelopeId === undefined ? undefined : { keyword: 'ENVID', value: encodeXtext(envelopeId) },
};

const auth: ParameterRule<MailParameters> = {
  keyword: 'AUTH',
  extension: 'AUTH',
  parse: (value) => {
    const identity = readXtext(value, 500);
    if (identity === undefined || !printableUtf8.test(identity)) return undefined;
    return { auth: identity === '<>' ? null : identity };
  },
  format: (typed) =>
    typed.auth === undefined
      ? undefined
      : { keyword: 'AUTH', value: typed.auth === null ? '<>' : encodeXtext(typed.auth) },
};

function parseNotify(value: string | undefined): readonly Notify[] | undefined {
  const words = value?.split(',') ?? [];
  if (words.length === 1 && readKeyword(words[0], ['NEVER'])) return [];
  const known = words.map((word) => readKeyword<Notify>(word, ['SUCCESS', 'FAILURE', 'DELAY']));
  const notices = known.filter((word) => word !== undefined);
  return notices.length > 0 && new Set(notices).size === words.length ? notices : undefined;
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

const typedAddress = /^([!#-'*+\-/0-9?A-Z^-~]+);(.+)$/;

function splitType(typed: string): { type: string; address: string; isUtf8: boolean } | undefined {
  const match = typedAddress.exec(typed);
  if (match === null) return undefined;
  const [, type, address] = match as unknown as [string, string, string];
  return { type, address, isUtf8: type.toLowerCase() === 'utf-8' };
}

function isUnitext(text: string): boolean {
  const address = text.includes('+') ? undefined : parseUnitext(text);
  return address !== undefined && printableUtf8.test(address);
}

function parseOrcpt(value: string, mayBeUtf8: boolean): string | undefined {
  const typed = value.length > 500 ? undefined : splitType(value);
  if (typed === undefined || (!mayBeUtf8 && !/^[!-~]+$/.test(value))) return undefined;
  if (typed.isUtf8) return isUnitext(typed.address) ? value : undefined;
  const address = decodeXtext(typed.address);
  if (address === undefined || !printableUtf8.test(address)) return undefined;
  if (printable.test(address)) return `${typed.type};${address}`;
  // Deviates: Postfix writes every address in the type of those in ASCII, and its mail is to arrive (RFC 6533 §3).
  const isMeant = mayBeUtf8 && typed.type.toLowerCase() === 'rfc822';
  return isMeant ? `utf-8;${formatUnitext(address, 'utf8')}` : undefined;
}

function formatOrcpt(originalRecipient: string, mayBeUtf8: boolean): string | undefined {
  const typed = splitType(originalRecipient);
  if (typed === undefined) return undefined;
  if (!typed.isUtf8) return printable.test(typed.address) ? `${typed.type};${encodeXtext(typed.address)}` : undefined;
  const address = parseUnitext(typed.address);
  return address === undefined ? undefined : `${typed.type};${formatUnitext(address, mayBeUtf8 ? 'utf8' : 'ascii')}`;
}

const orcpt: ParameterRule<RcptParameters> = {
  keyword: 'ORCPT',
  extension: 'DSN',
  orExtension: 'MTRK',
  parse: (value, offered) => {
    const originalRecipient = value === undefined ? undefined : parseOrcpt(value, offered.has('SMTPUTF8'));
    return originalRecipient === undefined ? undefined : { originalRecipient };
  },
  format: ({ originalRecipient }, offered) => {
    if (originalRecipient === undefined) return undefined;
    const value = formatOrcpt(originalRecipient, offered.has('SMTPUTF8'));
    return value === undefined ? undefined : { keyword: 'ORCPT', value };
  },
};

/**
 * The parameters that MAIL may have (RFC 1870 §4, RFC 6152 §2, RFC 6531 §3.1, RFC 3461 §4, RFC 4954 §5, RFC 2852 §4,
 * RFC 4865 §3, RFC 6710 §3, RFC 3865 §2.3, RFC 1845 §2, RFC 3885 §3, RFC 8689 §2).
 */
export const mailRules: readonly ParameterRule<MailParameters>[] = [
  size,
  body,
  smtputf8,
  ret,
  envid,
  auth,
  by,
  holdFor,
  holdUntil,
  priority,
  solicit,
  transid,
  mtrk,
  requireTls,
];

/** The parameters that RCPT may have (RFC 3461 §4, RFC 7293 §3.1). */
export const rcptRules: readonly ParameterRule<RcptParameters>[] = [notify, orcpt, rrvs];
