import { formatTimestamp, parseTimestamp } from '@posthorn/smtp/bytes/timestamp';
import { encodeXtext } from '@posthorn/smtp/bytes/xtext';
import {
  type MailParameters,
  type RcptParameters,
  readMailParameters,
  readRcptParameters,
  writeMailParameters,
  writeRcptParameters,
} from '@posthorn/smtp/command/parameters';
import { type Command, Option } from 'commander';
import { parseDuration } from '../config/quantity.ts';
import { Exit, exitCodes } from './exit.ts';

/** One option, and the parameter of MAIL or RCPT that it stands for. */
interface Wish {
  readonly flags: string;
  readonly description: string;
  /** What the option takes, for who gave it something else. */
  readonly remedy: string;
  readonly command: 'MAIL' | 'RCPT';
  readonly keyword: string;
  readonly extension: string;
  /** The value as the parameter has it, where that is another one; the parameter's own rule judges it. */
  readonly toWire?: (text: string) => string;
  readonly conflicts?: string;
}

const wishes: readonly Wish[] = [
  {
    flags: '--notify <events>',
    description: 'have success, failure or delay reported, with commas between them, or never',
    remedy: 'Write "success,failure,delay", some of them, or "never".',
    command: 'RCPT',
    keyword: 'NOTIFY',
    extension: 'DSN',
  },
  {
    flags: '--ret <part>',
    description: 'have the full message returned in a report of a failure, or only its hdrs',
    remedy: 'Write "full" or "hdrs".',
    command: 'MAIL',
    keyword: 'RET',
    extension: 'DSN',
  },
  {
    flags: '--envid <id>',
    description: 'the name of this message in reports',
    remedy: 'Write up to 100 characters of ASCII.',
    command: 'MAIL',
    keyword: 'ENVID',
    extension: 'DSN',
    toWire: encodeXtext,
    conflicts: 'track',
  },
  {
    flags: '--orcpt <address>',
    description: 'whom the message was for at first: an address, or type;address',
    remedy: 'Write an address such as "a@example.org", or "x400;..." for one of another type.',
    command: 'RCPT',
    keyword: 'ORCPT',
    extension: 'DSN',
    toWire: toTypedAddress,
  },
  {
    flags: '--deliver-by <time>',
    description: 'seconds to deliver it in, then R to have it returned or N to be told; T behind it for a trace',
    remedy: 'Write seconds or a duration, and R or N, such as "3600R", "2hN" or "3600RT".',
    command: 'MAIL',
    keyword: 'BY',
    extension: 'DELIVERBY',
    toWire: (text) =>
      text.replace(/^(.+?);?([nr]t?)$/i, (_, time: string, mode: string) => `${toSeconds(time)};${mode}`),
  },
  {
    flags: '--hold-for <time>',
    description: 'have it sent on after so many seconds, or a duration such as 2h',
    remedy: 'Write seconds such as "3600", or a duration such as "2h".',
    command: 'MAIL',
    keyword: 'HOLDFOR',
    extension: 'FUTURERELEASE',
    toWire: toSeconds,
    conflicts: 'holdUntil',
  },
  {
    flags: '--hold-until <time>',
    description: 'have it sent on at a time such as 2026-12-24T18:00:00Z',
    remedy: 'Write a time such as "2026-12-24T18:00:00Z" or "2026-12-24T19:00:00+01:00".',
    command: 'MAIL',
    keyword: 'HOLDUNTIL',
    extension: 'FUTURERELEASE',
    toWire: (text) => formatTimestamp(parseTimestamp(text) ?? Number.NaN) ?? '',
  },
  {
    flags: '--priority <level>',
    description: 'from -9 to 9; 0 is what all others have',
    remedy: 'Write a number from -9 to 9.',
    command: 'MAIL',
    keyword: 'MT-PRIORITY',
    extension: 'MT-PRIORITY',
  },
  {
    flags: '--solicit <classes>',
    description: 'the classes of solicitation that it belongs to, such as org.example:ADV, with commas between them',
    remedy: 'Write classes such as "org.example:ADV", with commas between them.',
    command: 'MAIL',
    keyword: 'SOLICIT',
    extension: 'NO-SOLICITING',
  },
  {
    flags: '--require-tls',
    description: 'have it sent on over verified TLS alone; the host too must prove who it is',
    remedy: '',
    command: 'MAIL',
    keyword: 'REQUIRETLS',
    extension: 'REQUIRETLS',
  },
  {
    flags: '--rrvs <time>',
    description:
      'deliver only to who has had the address since then; with ;C behind it even through hosts that cannot tell',
    remedy: 'Write a time such as "2026-01-31T00:00:00Z", or "2026-01-31T00:00:00Z;C".',
    command: 'RCPT',
    keyword: 'RRVS',
    extension: 'RRVS',
  },
];

/** What commander makes of the options. */
export interface WishOptions {
  readonly notify?: string;
  readonly ret?: string;
  readonly envid?: string;
  readonly orcpt?: string;
  readonly deliverBy?: string;
  readonly holdFor?: string;
  readonly holdUntil?: string;
  readonly priority?: string;
  readonly solicit?: string;
  readonly requireTls?: true;
  readonly rrvs?: string;
}

/** What is asked for a message. */
export interface Wishes {
  readonly mail: MailParameters;
  readonly recipient: RcptParameters;
  /** The options that a host is not told of which offers these extensions, each with the one that it lacks. */
  leftOut(offered: ReadonlySet<string>): readonly LeftOut[];
}

/** An option without effect. */
export interface LeftOut {
  readonly option: string;
  readonly extension: string;
}

/** Adds the options that ask for something. */
export function addWishes(command: Command): Command {
  for (const { flags, description, conflicts = [] } of wishes) {
    command.addOption(new Option(flags, description).conflicts(conflicts));
  }
  return command;
}

/** Reads them. Throws Exit when one of them is malformed. */
export function readWishes(options: WishOptions): Wishes {
  const given = wishes.filter((wish) => givenTo(options, wish) !== undefined);
  const parametersOf = (command: Wish['command']) =>
    Object.assign({}, ...given.filter((wish) => wish.command === command).map((wish) => read(options, wish)));
  const mail: MailParameters = parametersOf('MAIL');
  const recipient: RcptParameters = parametersOf('RCPT');
  return {
    mail,
    recipient,
    leftOut(offered) {
      const told = [...writeMailParameters(mail, offered), ...writeRcptParameters(recipient, offered)];
      return given
        .filter(({ keyword }) => !told.some((parameter) => parameter.keyword === keyword))
        .map(({ flags, extension }) => ({ option: nameOf(flags), extension }));
    },
  };
}

/** Says of what a host was not told, one line for each extension that it lacks. */
export function describeLeftOut(leftOut: readonly LeftOut[]): string {
  const extensions = [...new Set(leftOut.map(({ extension }) => extension))];
  const lines = extensions.map((extension) => {
    const options = leftOut.filter((each) => each.extension === extension).map(({ option }) => option);
    return `The host does not offer ${extension}, so it was not told of ${options.join(' and ')}.\n`;
  });
  return lines.join('');
}

function nameOf(flags: string): string {
  return flags.split(' ', 1)[0] as string;
}

function givenTo(options: WishOptions, { flags }: Wish): string | true | undefined {
  return options[new Option(flags).attributeName() as keyof WishOptions];
}

function read(options: WishOptions, wish: Wish): MailParameters | RcptParameters {
  const { command, keyword, extension, flags, remedy, toWire = (text) => text } = wish;
  const text = givenTo(options, wish);
  const parameter = typeof text === 'string' ? { keyword, value: toWire(text) } : { keyword };
  const offered = new Set([extension, 'SMTPUTF8']);
  const typed =
    command === 'MAIL' ? readMailParameters([parameter], offered) : readRcptParameters([parameter], offered);
  if (!('code' in typed)) return typed;
  throw new Exit(`${nameOf(flags)} cannot be ${JSON.stringify(text)}. ${remedy}`, exitCodes.usage);
}

function toSeconds(text: string): string {
  if (/^[+-]?\d+$/.test(text)) return text;
  const duration = parseDuration(text);
  return duration === undefined ? text : String(Math.floor(duration / 1000));
}

/** An address of another script has a type of its own, and stays as it is (RFC 6533 §3). */
function toTypedAddress(text: string): string {
  const type = /^([\w-]+);/.exec(text)?.[1];
  if (type === undefined) return /^[\0-\x7f]*$/.test(text) ? `rfc822;${encodeXtext(text)}` : `utf-8;${text}`;
  return type.toLowerCase() === 'utf-8' ? text : `${type};${encodeXtext(text.slice(type.length + 1))}`;
}
