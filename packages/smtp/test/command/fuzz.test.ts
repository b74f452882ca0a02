import type { Command } from '@posthorn/smtp/command/command';
import { decodeLine } from '@posthorn/smtp/command/decode-line';
import { formatCommand } from '@posthorn/smtp/command/format-command';
import { readMailParameters, readRcptParameters } from '@posthorn/smtp/command/parameters';
import { parseCommand } from '@posthorn/smtp/command/parse-command';
import { formatReply } from '@posthorn/smtp/reply/format-reply';
import type { Reply } from '@posthorn/smtp/reply/reply';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { command } from '../arbitraries.ts';

/** A seed of its own makes every run the same one. */
const bounded = { seed: 5321, numRuns: 1500 };

const offered = new Set(['SIZE', '8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'AUTH']);

const fragments = [
  ...['EHLO', 'MAIL FROM:', 'RCPT TO:', 'mail from: ', 'BDAT ', 'AUTH PLAIN ', 'VRFY ', 'NOOP', 'DATA', 'LHLO '],
  ...[
    '<',
    '>',
    '<>',
    '"',
    '\\',
    '@',
    ':',
    ',',
    '[',
    ']',
    '[IPv6:',
    '::',
    '.',
    '-',
    '#',
    '%',
    '!',
    '=',
    '+',
    ';',
    '(',
    ')',
  ],
  ...[
    ' SIZE=',
    ' BODY=8BITMIME',
    ' SMTPUTF8',
    ' RET=',
    ' ENVID=',
    ' NOTIFY=',
    ' ORCPT=',
    'rfc822;',
    'utf-8;',
    ' AUTH=',
  ],
  ...[
    'user',
    'example.org',
    'Postmaster',
    '192.0.2.1',
    '2001:db8',
    'NEVER',
    'FULL',
    'LAST',
    '+2B',
    '\\x{E9}',
    '99999999',
  ],
  ...[
    ' ',
    '\t',
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\x7f',
    '\x80',
    'é',
    '\u00a0',
    '\u2028',
    'ß',
    '测',
    '😀',
    '\ud800',
    '\u0131',
    '\u212a',
  ],
];

const madeOfFragments = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fragments) }, fc.string({ maxLength: 4 })), {
    maxLength: 14,
  })
  .map((parts) => Buffer.from(parts.join(''), 'utf8'));

/** A good line with one stretch of it overwritten, taken out, or doubled. */
const damaged = fc
  .tuple(command, fc.nat(), fc.nat(6), fc.constantFrom('', '"', '>', '\\', ' ', '@', '\r\n', '\0', 'é'), fc.boolean())
  .map(([given, at, length, put, doubles]) => {
    const line = Buffer.from(formatCommand(given), 'utf8');
    const start = at % (line.length + 1);
    const stretch = line.subarray(start, start + length);
    return Buffer.concat([
      line.subarray(0, start),
      Buffer.from(put),
      doubles ? stretch : Buffer.alloc(0),
      line.subarray(start + length),
    ]);
  });

const octets = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

function expectRefusal(reply: Reply): void {
  expect([500, 501, 555]).toContain(reply.code);
  expect(reply.status).toMatch(/^5\.[0-7]\.\d+$/);
  expect(formatReply(reply).split('\r\n')).toHaveLength(2);
}

/** Whatever is read can be written, is one line without controls but TAB, and is read as the same again. */
function expectStable(read: Command, lenient: boolean): void {
  const line = formatCommand(read);
  expect(line).not.toMatch(/[^\P{Cc}\t]/u);
  expect(parseCommand(line, { lenient })).toEqual(read);
}

function check(bytes: Buffer): void {
  const line = decodeLine(bytes);
  if (line === undefined) return;
  for (const lenient of [false, true]) {
    const read = parseCommand(line, { lenient });
    if ('code' in read) {
      expectRefusal(read);
      continue;
    }
    expectStable(read, lenient);
    if (!('parameters' in read)) continue;
    const readParameters = read.verb === 'RCPT' ? readRcptParameters : readMailParameters;
    const typed = readParameters(read.parameters, offered);
    if ('code' in typed) expectRefusal(typed);
  }
}

describe('command lines of any kind', () => {
  it.each([
    ['made of fragments', madeOfFragments],
    ['damaged', damaged],
    ['of random octets', octets],
  ])('%s are read as what they say, or refused in one line', (_, lines) => {
    fc.assert(fc.property(lines, check), bounded);
  });

  it('are not all refused', () => {
    const outcomes = fc.sample(fc.oneof(madeOfFragments, damaged), bounded).map((bytes) => {
      const line = decodeLine(bytes);
      if (line === undefined) return 'undecodable';
      return 'code' in parseCommand(line) ? 'refused' : 'read';
    });
    for (const outcome of ['undecodable', 'refused', 'read']) {
      expect(outcomes.filter((given) => given === outcome).length, outcome).toBeGreaterThan(bounded.numRuns / 20);
    }
  });
});
