import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../src/dns/read-answer.ts';
import { readReply } from '../../src/dns/wire.ts';

const question = { type: 'MX', name: 'example.test' } as const;

function replyWith(answers: Answer[]): Buffer {
  return encode({ type: 'response', id: 7, questions: [question], answers });
}

describe('readReply', () => {
  it('never throws and never loops, whatever octets come', () => {
    const valid = replyWith([
      { type: 'CNAME', name: 'example.test', ttl: 5, data: 'other.test' },
      { type: 'MX', name: 'other.test', ttl: 5, data: { preference: 1, exchange: 'mx.other.test' } },
      { type: 'TXT', name: 'example.test', ttl: 5, data: ['a', 'b'] },
      { type: 'AAAA', name: 'example.test', ttl: 5, data: '::1' },
    ]);
    const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(valid.length), (changes, length) => {
        const bytes = Buffer.from(valid);
        for (const [at, octet] of changes) bytes[at] = octet;
        const reply = readReply(bytes.subarray(0, length), 7, question);
        if (reply !== undefined) readAnswer(reply, question, false);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void readReply(Buffer.from(bytes), 7, question)),
    );
  });

  it('takes a time with its top bit set for none, and records of other classes for nothing', () => {
    const mx = { type: 'MX', name: 'example.test', data: { preference: 1, exchange: 'mx.test' } } as const;
    const reply = readReply(
      replyWith([
        { ...mx, ttl: 0x8000_0000 },
        { ...mx, class: 'CH' },
      ]),
      7,
      question,
    );
    expect(reply?.answers).toMatchObject([{ ttl: 0 }]);
  });
});
