import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import type { Command, Parameter } from '@posthorn/smtp/command/command';
import type { MailParameters, Notify, RcptParameters } from '@posthorn/smtp/command/parameters';
import type { Reply, Status } from '@posthorn/smtp/reply/reply';
import fc from 'fast-check';

const letters = 'abcxyzABCXYZ0189';
const atext = [...letters, ..."!#$%&'*+-/=?^_`{|}~"];
const quotable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
const foreign = [...'éßδ测И가𝄞😀'];

function string(units: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...units), minLength, maxLength });
}

/** Local-parts as they are meant: dot-strings, and what needs quotes; with `utf8` also letters outside of ASCII. */
function localPart(utf8 = false): fc.Arbitrary<string> {
  const more = utf8 ? foreign : [];
  return fc.oneof(
    fc.array(string([...atext, ...more], 1, 5), { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.')),
    string([...quotable, ...more], 0, 16),
  );
}

const label = fc
  .tuple(string([...letters], 1, 8), string([...letters, '-'], 0, 8), string([...letters], 1, 3))
  .map((parts) => parts.join(''));

/** Domains of letters, digits and hyphens. */
export const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

const uLabels = ['münchen', 'παράδειγμα', '测试', 'école', 'пример', 'bücher-7'];

/** Whose last label is no number, in whatever base: such a name would be taken for an IPv4 address. */
export const uDomain = fc
  .tuple(
    fc.constantFrom(...uLabels),
    domain.filter((name) => !/(?:^|\.)(?:\d+|0x[\da-f]*)$/i.test(name)),
  )
  .map((labels) => labels.join('.'));

const ipv4 = fc.ipV4().map((address) => `[${address}]`);
const ipv6 = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => `[IPv6:${groups.map((group) => group.toString(16)).join(':')}]`);

/** Address literals of every kind, with their brackets. */
const literal = fc.oneof(ipv4, ipv6, fc.constantFrom('[IPv6:2001:db8::1]', '[X400:c=de>a]', '[IPv6:::ffff:192.0.2.1]'));

export function mailbox(utf8 = false): fc.Arbitrary<Mailbox> {
  return fc.record({ localPart: localPart(utf8), domain: fc.oneof(domain, literal, ...(utf8 ? [uDomain] : [])) });
}

const keyword = string([...'ABCXYZ0189-'], 0, 8).map((rest) => `X${rest}`);
const value = string([...quotable.filter((character) => character !== ' ' && character !== '='), ...foreign], 1, 12);

const parameter: fc.Arbitrary<Parameter> = fc.oneof(fc.record({ keyword }), fc.record({ keyword, value }));

const parameters = fc.array(parameter, { maxLength: 4 });
const reversePath = fc.oneof(fc.constant(null), mailbox(true));
const forwardPath = fc.oneof(
  mailbox(true),
  fc.constantFrom('Postmaster', 'postMASTER').map((name) => ({ localPart: name, domain: '' })),
);
const word = string(
  quotable.filter((character) => character !== ' '),
  1,
  12,
);
const argument = fc.array(word, { maxLength: 3 }).map((words) => words.join(' '));
const base64 = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('base64') || '=');

/** Commands in the form in which the parser gives them. */
export const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ verb: fc.constantFrom('HELO', 'EHLO', 'LHLO'), name: fc.oneof(domain, literal) }),
  fc.record({ verb: fc.constantFrom('MAIL', 'SEND', 'SOML', 'SAML'), reversePath, parameters }),
  fc.record({ verb: fc.constant('RCPT'), forwardPath, parameters }),
  fc.record({ verb: fc.constantFrom('DATA', 'RSET', 'QUIT', 'STARTTLS', 'TURN') }),
  fc.record({ verb: fc.constantFrom('NOOP', 'HELP', 'ATRN', 'BURL'), argument }),
  fc.record({ verb: fc.constantFrom('VRFY', 'EXPN', 'ETRN'), argument: argument.filter((text) => text !== '') }),
  fc.record({ verb: fc.constant('BDAT'), size: fc.maxSafeNat(), last: fc.boolean() }),
  fc.record({ verb: fc.constant('AUTH'), mechanism: fc.constantFrom('PLAIN', 'SCRAM-SHA-256', 'X_1') }),
  fc.record({ verb: fc.constant('AUTH'), mechanism: fc.constantFrom('PLAIN', 'LOGIN'), initial: base64 }),
);

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const printable = string(quotable, 1, 30);

/** Without the entries that are undefined. */
function present<T extends object>(record: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<T> {
  return record.map(
    (entries) => Object.fromEntries(Object.entries(entries).filter(([, entry]) => entry !== undefined)) as T,
  );
}

/** A number of so many digits at the most. */
const upTo = (digits: number, min = 0) => fc.integer({ min, max: 10 ** digits - 1 });

const deliverBy = fc.oneof(
  fc.record({ seconds: upTo(9, 1), mode: fc.constant('R') }),
  fc.record({ seconds: upTo(9, -999_999_999), mode: fc.constant('N') }),
  fc.record({ seconds: upTo(9, 1), mode: fc.constantFrom('R', 'N'), trace: fc.constant(true) }),
);

/** Times of years with four digits, in milliseconds since the epoch. */
export const instant = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

const hold = fc.oneof(fc.record({ for: upTo(9, 1) }), fc.record({ until: instant }));

const solicitationClass = fc
  .tuple(string([...'azAZ'], 1, 1), string([...letters, ...'.-_:'], 0, 20))
  .map((parts) => parts.join(''));

const token = fc
  .array(string([...letters, ..."!#$%&'*+-^_`{|}~"], 1, 5), { minLength: 1, maxLength: 3 })
  .map((atoms) => atoms.join('.'));

const certifier = string([...letters, '+', '/'], 27, 27);

export const mailParameters = present<MailParameters>(
  fc.record({
    size: optional(fc.maxSafeNat()),
    body: optional(fc.constantFrom('7BIT', '8BITMIME', 'BINARYMIME')),
    smtputf8: optional(fc.constant(true)),
    ret: optional(fc.constantFrom('FULL', 'HDRS')),
    envelopeId: optional(printable),
    auth: optional(
      fc.oneof(
        fc.constant(null),
        printable.filter((text) => text !== '<>'),
        fc.constant('Pelé@example.org'),
      ),
    ),
    deliverBy: optional(deliverBy),
    hold: optional(hold),
    priority: optional(fc.integer({ min: -9, max: 9 })),
    solicit: optional(fc.array(solicitationClass, { minLength: 1, maxLength: 5 })),
    transactionId: optional(fc.tuple(token, token).map((parts) => parts.join('@'))),
    tracking: optional(fc.oneof(fc.record({ certifier }), fc.record({ certifier, timeout: upTo(9) }))),
    requireTls: optional(fc.constant(true)),
  }),
);

const notify = fc.uniqueArray(fc.constantFrom<Notify>('SUCCESS', 'FAILURE', 'DELAY'), { maxLength: 3 });
const unitextSafe = string([...letters, ...foreign, ...'@."!'], 1, 20);

export const rcptParameters = present<RcptParameters>(
  fc.record({
    notify: optional(notify),
    originalRecipient: optional(
      fc.oneof(
        printable.map((text) => `rfc822;${text}`),
        unitextSafe.map((text) => `utf-8;${text}`),
      ),
    ),
    rrvs: optional(
      fc.record({
        since: instant.map((time) => Math.floor(time / 1000) * 1000),
        fallback: fc.constantFrom('R', 'C'),
      }),
    ),
  }),
);

const textLine = string([...quotable, ...foreign], 0, 40).filter((text) => !/^\d/.test(text));

/** Replies whose texts fit their lines. */
export const reply: fc.Arbitrary<Reply> = fc
  .record({
    code: fc.integer({ min: 200, max: 599 }),
    hasStatus: fc.boolean(),
    subject: fc.nat(9),
    detail: fc.nat(999),
    lines: fc.array(textLine, { minLength: 1, maxLength: 4 }),
  })
  .map(({ code, hasStatus, subject, detail, lines }) => {
    const digit = Math.trunc(code / 100);
    return hasStatus && digit !== 3
      ? { code, status: `${digit}.${subject}.${detail}` as Status, lines }
      : { code, lines };
  });
