import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReplyText } from '../../src/filters/milter-answer.ts';
import { formatBodyHead, formatMilterCommand, type MilterCommand } from '../../src/filters/milter-command.ts';
import { MilterPackets } from '../../src/filters/milter-packets.ts';
import { parseMilterReply } from '../../src/filters/milter-reply.ts';
import { packet, uint32 } from './scripted-milter.ts';

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const word = fc.string({ unit: 'grapheme', maxLength: 20 });

const commands: fc.Arbitrary<MilterCommand> = fc.oneof(
  fc.record({ kind: fc.constantFrom('data', 'header-end', 'end', 'abort', 'quit') }),
  fc.record({ kind: fc.constant('hello'), name: word }),
  fc.record({ kind: fc.constantFrom('mail', 'recipient'), words: fc.array(word, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('field'), name: word, value: bytes }),
  fc.record({ kind: fc.constant('body'), bytes }),
  fc.record({ kind: fc.constant('macros'), of: fc.constant('C'), values: fc.array(fc.tuple(word, word)) }),
) as fc.Arbitrary<MilterCommand>;

/** All packets of an input that comes in pieces. */
function packetsOf(input: Buffer, cuts: readonly number[]): Buffer[] {
  const packets = new MilterPackets();
  const ends = [...cuts.map((cut) => cut % (input.length + 1)), input.length].sort((one, other) => one - other);
  const found: Buffer[] = [];
  let start = 0;
  for (const end of ends) {
    if (end > start) packets.push(input.subarray(start, end));
    start = end;
    for (let next = packets.next(); next !== undefined; next = packets.next()) found.push(next);
  }
  return found;
}

describe('packets of a milter', () => {
  it('are the same wherever they are cut, and hold no more texts than were written', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 8 }), (list, cuts) => {
        const written = list.map(formatMilterCommand);
        const found = packetsOf(Buffer.concat(written), cuts);
        expect(found).toEqual(written.map((each) => each.subarray(4)));
        for (const [at, command] of list.entries()) {
          if (command.kind !== 'mail' && command.kind !== 'recipient') continue;
          const texts = (found[at] ?? Buffer.alloc(0)).subarray(1).toString('latin1').split('\0');
          expect(texts.length).toBe(command.words.length + 1);
        }
      }),
    );
  });

  it('begin a body without a copy of it', () => {
    const body = Buffer.from('the body');
    const whole = formatMilterCommand({ kind: 'body', bytes: body });
    expect(Buffer.concat([formatBodyHead(body.length), body])).toEqual(whole);
  });

  it.each([0, 131_073, 0xffffffff])('end it when they say that they have %i octets', (length) => {
    const packets = new MilterPackets();
    packets.push(Buffer.concat([uint32(length), Buffer.from('c')]));
    expect(() => packets.next()).toThrow(expect.objectContaining({ kind: 'protocol' }));
  });
});

describe('what a milter says', () => {
  it('is understood, or undefined, whatever it is', () => {
    fc.assert(
      fc.property(bytes, (said) => {
        const reply = parseMilterReply(said);
        if (reply?.kind === 'change' && 'name' in reply.change) expect(reply.change.name).toMatch(/^[!-9;-~]+$/);
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, string, object]>([
    ['e', 'a@b.example\0SIZE=1\0', { kind: 'sender', address: 'a@b.example', parameters: 'SIZE=1' }],
    ['e', '<>\0', { kind: 'sender', address: '<>', parameters: '' }],
    [
      '2',
      '<a@b.example>\0NOTIFY=NEVER\0',
      { kind: 'add-recipient', address: '<a@b.example>', parameters: 'NOTIFY=NEVER' },
    ],
    ['+', '<a@b.example>\0', { kind: 'add-recipient', address: '<a@b.example>', parameters: '' }],
    ['-', '<a@b.example>\0', { kind: 'remove-recipient', address: '<a@b.example>' }],
    ['q', 'odd\0', { kind: 'hold', reason: 'odd' }],
    ['h', 'X-A\0\0', { kind: 'add', name: 'X-A', value: Buffer.alloc(0) }],
    ['m', '\0\0\0\x02X-A\0v\0', { kind: 'change', index: 2, name: 'X-A', value: Buffer.from('v') }],
  ])('changes a message: %s', (letter, payload, change) => {
    const said = packet(letter, Buffer.from(payload, 'latin1')).subarray(4);
    expect(parseMilterReply(said)).toEqual({ kind: 'change', change });
  });

  it.each([
    ['h', 'X-A\0'],
    ['h', 'X-A\0v'],
    ['h', 'X A\0v\0'],
    ['h', '\0v\0'],
    ['h', 'a\0b\0c\0'],
    ['i', '\0\0\0'],
    ['m', '\0\0\0\x01X-A\0'],
    ['+', 'a@b.example'],
    ['+', ''],
    ['y', '550 no'],
    ['O', 'short'],
    ['O', '\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x01j'],
    ['Z', ''],
  ])('is nothing when it is malformed: %s %j', (letter, payload) => {
    expect(parseMilterReply(packet(letter, payload).subarray(4))).toBeUndefined();
  });

  it('names the macros it wants in either way', () => {
    const wanted = Buffer.concat([
      uint32(6),
      uint32(1),
      uint32(2),
      uint32(2),
      Buffer.from('i, {mail_addr} auth_type\0'),
    ]);
    expect(parseMilterReply(packet('O', wanted).subarray(4))).toEqual({
      kind: 'terms',
      terms: { version: 6, actions: 1, steps: 2, macros: new Map([['mail', ['i', '{mail_addr}', '{auth_type}']]]) },
    });
  });

  it.each<[string, object | undefined]>([
    ['550 5.7.1 no', { code: 550, status: '5.7.1', lines: ['no'] }],
    ['451 wait 50%%', { code: 451, lines: ['wait 50%'] }],
    ['554-5.7.1 one\r\n554 5.7.1 two', { code: 554, status: '5.7.1', lines: ['one', 'two'] }],
    ['550', { code: 550, lines: [''] }],
    ['550 4.7.1 no', undefined],
    ['250 fine', undefined],
    ['600 much', undefined],
    ['5500 much', undefined],
    ['550 one\r\n551 two', undefined],
    ['', undefined],
  ])('is a reply of its own: %j', (text, reply) => {
    expect(parseReplyText(text, false)).toEqual(reply);
  });

  it('is a reply that can go out, whatever it is', () => {
    const texts = fc.tuple(fc.constantFrom('550 ', '451 4.7.1 ', '554-', ''), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, fc.boolean(), ([start, rest], isGreeting) => {
        const reply = parseReplyText(start + rest, isGreeting);
        for (const line of reply?.lines ?? []) expect(line).toMatch(/^[ -~]{0,400}$/);
        if (reply !== undefined && isGreeting) expect([421, 554]).toContain(reply.code);
      }),
    );
  });
});
