import type { ClientEnvelope } from '../client/envelope.ts';
import type { MailParameters, Notify, RcptParameters } from '../command/parameters.ts';
import { Failure } from '../failure/failure.ts';
import type { ComposedMail, DsnWish, MailOptions } from './composed-mail.ts';

const notifications: ReadonlySet<string> = new Set<Notify>(['SUCCESS', 'FAILURE', 'DELAY']);

/** The envelope of a message, with what is asked for in reports and on the way. Throws Failure `invalid` (RFC 3461 §4, RFC 8689 §3). */
export function readEnvelope({ data, message }: ComposedMail): ClientEnvelope {
  const { dsn = {}, requireTLSExtensionEnabled } = data as MailOptions;
  const { from, to } = message.getEnvelope();
  const wishes = recipientWishes(dsn);
  return {
    from: from === false ? '' : from,
    to: to.map((address) => ({ address, ...wishes })),
    mail: { ...messageWishes(dsn), ...(requireTLSExtensionEnabled === true ? { requireTls: true } : {}) },
  };
}

function messageWishes(dsn: DsnWish): MailParameters {
  const ret = (dsn.ret ?? dsn.return ?? '').toUpperCase();
  const envelopeId = dsn.envid ?? dsn.id ?? '';
  if (!['', 'HDRS', 'HEADERS', 'FULL', 'BODY'].includes(ret))
    throw new Failure('invalid', `dsn.ret is ${JSON.stringify(ret)}`);
  return {
    ...(ret === '' ? {} : { ret: ret.startsWith('H') ? 'HDRS' : 'FULL' }),
    ...(envelopeId === '' ? {} : { envelopeId }),
  };
}

function recipientWishes({ notify = [], recipient, orcpt }: DsnWish): RcptParameters {
  const words = typeof notify === 'string' ? notify.split(',') : notify;
  const wanted = words.map((word) => word.trim().toUpperCase());
  const isNever = wanted.length === 1 && wanted[0] === 'NEVER';
  if (!isNever && !wanted.every(isNotify))
    throw new Failure('invalid', `dsn.notify is ${JSON.stringify(wanted.join())}`);
  const original = recipient ?? orcpt ?? '';
  return {
    ...(wanted.length === 0 ? {} : { notify: isNever ? [] : wanted.filter(isNotify) }),
    ...(original === '' ? {} : { originalRecipient: original.includes(';') ? original : `rfc822;${original}` }),
  };
}

function isNotify(word: string): word is Notify {
  return notifications.has(word);
}
