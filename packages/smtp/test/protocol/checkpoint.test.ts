import { ClientSession } from '@posthorn/smtp/protocol/client-session';
import { defaultTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import type { Answer } from '@posthorn/smtp/protocol/server-answers';
import type { ServerEvent } from '@posthorn/smtp/protocol/server-event';
import { ServerSession } from '@posthorn/smtp/protocol/server-session';
import type { AcceptedRecipient, TextCommand } from '@posthorn/smtp/protocol/transaction';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

const rules = testRules({ extensions: { checkpoint: true }, startTls: false });

/** An application that keeps the text of one transaction, as far as it came. */
class Keeper {
  text = Buffer.alloc(0);
  by: TextCommand = 'DATA';
  isComplete = false;
  #recipients: readonly AcceptedRecipient[] = [];

  handle(event: ServerEvent): Answer {
    if (event.kind === 'mail') return this.#resume();
    if (event.kind === 'text') this.text = Buffer.concat([this.text, event.bytes]);
    if (event.kind === 'end') this.isComplete = true;
    if (event.kind !== 'message') return undefined;
    if (event.transaction.offset === undefined) this.text = Buffer.alloc(0);
    this.by = event.by;
    this.#recipients = event.transaction.recipients;
    return undefined;
  }

  #resume(): Answer {
    const offset = this.by === 'BDAT' ? this.text.length : this.text.lastIndexOf('\r\n') + 2;
    if (offset < 2) return undefined;
    this.text = this.text.subarray(0, offset);
    return { offset, recipients: this.#recipients, by: this.by };
  }
}

const mailbox = (localPart: string) => ({ localPart, domain: 'x.test' });

interface Sent {
  readonly pieces: readonly Buffer[];
  readonly chunked: boolean;
}

/** Leads one session between both machines until `most` octets of the text went over; tells whether the mail was taken. */
function converse(keeper: Keeper, { pieces, chunked }: Sent, most: number): boolean {
  const server = new ServerSession(rules, 0);
  const client = new ClientSession({
    protocol: 'smtp',
    name: 'client.test',
    startTls: 'no',
    privacy: 'clear',
    mechanisms: [],
    cleartextAuth: false,
    timeouts: defaultTimeouts,
    clock: () => 0,
  });
  const queue: (Buffer | undefined)[] = [...pieces, undefined];
  const body = chunked ? { body: 'BINARYMIME' as const } : {};
  const transaction = client.submit({
    reversePath: mailbox('a'),
    mail: { ...body, transactionId: '1@x.test' },
    recipients: [{ mailbox: mailbox('b'), parameters: {} }],
    text: 'pieces',
  });
  let begun = false;
  let left = most;
  for (;;) {
    for (let event = server.next(); event !== undefined; event = server.next()) {
      const answer = keeper.handle(event);
      if (server.isAsking) server.answer(answer, 0);
    }
    client.receive(Buffer.from(server.takeOutput()));
    for (let event = client.next(); event !== undefined; event = client.next()) {
      if (event.kind === 'done') return transaction.answers[0]?.kind === 'accepted';
      if (event.kind === 'over') throw new Error(`over: ${event.why}`);
      if (event.kind !== 'text') continue;
      begun = true;
      client.feed(transaction, queue.shift());
    }
    const output = Buffer.concat([...(client.takeOutput() ?? [])]);
    const sent = begun ? output.subarray(0, left) : output;
    if (begun) left -= sent.length;
    server.receive(sent, 0);
    if (sent.length < output.length) return false;
    client.drained();
  }
}

const line = fc.string({ unit: fc.constantFrom('.', 'a', 'b', '-'), maxLength: 6 });
const text = fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => `${lines.join('\r\n')}\r\n`);

describe('a transaction that is broken off', () => {
  it('EXT-CKPT-2 EXT-CKPT-4 arrives octet by octet the same, wherever, however often and in whatever pieces it is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 });
    fc.assert(
      fc.property(text, sizes, cuts, fc.boolean(), (whole, pieceSizes, places, chunked) => {
        const keeper = new Keeper();
        const bytes = Buffer.from(whole);
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = pieceSizes[turn % pieceSizes.length] as number;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        const isTaken = [...places, Number.POSITIVE_INFINITY].some((most) =>
          converse(keeper, { pieces, chunked }, most),
        );
        expect(isTaken).toBe(true);
        expect(keeper.isComplete).toBe(true);
        expect(keeper.text.toString()).toBe(whole);
      }),
    );
  });
});

describe('what a session named by TRANSID', () => {
  const named = ['EHLO client.test', 'MAIL FROM:<a@x.test> TRANSID=<1@x.test>', 'RCPT TO:<b@y.test>'];
  const forget = '{"kind":"forget"}';
  const countOf = (server: MemoryServer) => server.application.asked.filter((asked) => asked === forget).length;

  it('EXT-CKPT-5 is to be forgotten at RSET, QUIT and the next MAIL, behind the final 250 and before', () => {
    for (const [verb, ...before] of [
      ['RSET'],
      ['QUIT'],
      ['RSET', 'DATA', '.'],
      ['QUIT', 'DATA', '.'],
      ['MAIL FROM:<a@x.test>', 'DATA', '.'],
    ]) {
      const server = new MemoryServer(rules);
      server.say(...named, ...before);
      expect(countOf(server)).toBe(0);
      server.say(verb as string, 'NOOP');
      expect(countOf(server)).toBe(1);
    }
  });

  it('EXT-CKPT-5 is told of before the MAIL that gives it up', () => {
    const server = new MemoryServer(rules);
    server.say(...named, 'DATA', '.', 'MAIL FROM:<c@x.test>');
    expect(server.application.asked.at(-2)).toBe(forget);
    expect(server.application.asked.at(-1)).toContain('"kind":"mail"');
  });

  it('EXT-CKPT-5 outlives the final reply, EHLO, NOOP and the end of the connection', () => {
    const server = new MemoryServer(rules);
    server.say(...named, 'DATA', '.', 'NOOP', 'EHLO client.test', 'VRFY Smith');
    server.session.abandon('shutdown');
    server.send(Buffer.alloc(0));
    expect(countOf(server)).toBe(0);
  });

  it('EXT-CKPT-5 is told of once, and nothing is told of transactions without a name', () => {
    const server = new MemoryServer(rules);
    server.say('EHLO client.test', 'MAIL FROM:<a@x.test>', 'RSET');
    expect(countOf(server)).toBe(0);
    server.say(...named, 'RSET', 'RSET', 'QUIT');
    expect(countOf(server)).toBe(1);
  });
});
