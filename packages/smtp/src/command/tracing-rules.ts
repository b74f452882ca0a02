import type { MailParameters, ParameterRule, Tracking } from './parameters.ts';

// Printable ASCII but for `()<>@,;:\"/[]?=` and the dots between.
const token = "[!#-'*+\\-0-9A-Z^-~]+(?:\\.[!#-'*+\\-0-9A-Z^-~]+)*";
const transactionId = new RegExp(`^<(${token}@${token})>$`);

/** CHECKPOINT: opaque, so its letters keep their case; at most 80 characters with the brackets (RFC 1845 §2). */
export const transid: ParameterRule<MailParameters> = {
  keyword: 'TRANSID',
  extension: 'CHECKPOINT',
  parse: (value = '') => {
    const id = value.length > 80 ? undefined : transactionId.exec(value)?.[1];
    return id === undefined ? undefined : { transactionId: id };
  },
  format: (typed) =>
    typed.transactionId === undefined ? undefined : { keyword: 'TRANSID', value: `<${typed.transactionId}>` },
};

function parseTracking(value: string): Tracking | undefined {
  const match = /^([A-Za-z0-9+/]{27})(?::(\d{1,9}))?$/.exec(value);
  if (match === null) return undefined;
  const certifier = match[1] as string;
  return match[2] === undefined ? { certifier } : { certifier, timeout: Number(match[2]) };
}

/** MTRK; it needs an ENVID beside it (RFC 3885 §3.1, RFC 3885 §3.2). */
export const mtrk: ParameterRule<MailParameters> = {
  keyword: 'MTRK',
  extension: 'MTRK',
  parse: (value = '') => {
    const tracking = parseTracking(value);
    return tracking === undefined ? undefined : { tracking };
  },
  format: ({ tracking }) => {
    if (tracking === undefined) return undefined;
    const { certifier, timeout } = tracking;
    return { keyword: 'MTRK', value: timeout === undefined ? certifier : `${certifier}:${timeout}` };
  },
};
