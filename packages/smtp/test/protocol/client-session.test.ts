import type { ClientSessionOptions } from '@posthorn/smtp/protocol/client-session';
import { type ClientTimeouts, defaultTimeouts } from '@posthorn/smtp/protocol/client-timeouts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAnswer, MemoryClient } from '../laws/memory-client.ts';

const minute = 60_000;

/** A client whose host has greeted and offered these keywords. */
function ready(offers: readonly string[] = [], options: Partial<ClientSessionOptions> = {}): MemoryClient {
  const client = new MemoryClient(options);
  client.hear('220 mx.example');
  client.line();
  client.hear(...['mx.example', ...offers].map((text, at) => `250${at === offers.length ? ' ' : '-'}${text}`));
  return client;
}

function readAll(client: MemoryClient): string[] {
  const lines: string[] = [];
  while (client.rest() !== '') lines.push(client.line());
  return lines;
}

describe('the time-outs', () => {
  it('CLI-TMO-1 are at least those that are asked of a patient client', () => {
    const least: Partial<ClientTimeouts> = {
      greeting: 5 * minute,
      hello: 5 * minute,
      mail: 5 * minute,
      rcpt: 5 * minute,
      data: 2 * minute,
      block: 3 * minute,
      text: 10 * minute,
    };
    for (const [phase, time] of Object.entries(least)) {
      expect(defaultTimeouts[phase as keyof ClientTimeouts]).toBeGreaterThanOrEqual(time);
    }
    expect(defaultTimeouts.connect).toBeGreaterThanOrEqual(30_000);
    expect(defaultTimeouts.connect).toBeLessThanOrEqual(2 * minute);
    expect(defaultTimeouts.quit).toBeLessThanOrEqual(2 * minute);
  });

  it('CLI-TMO-1 run for each step by itself, whatever is still to come in its group', () => {
    const timeouts = { ...defaultTimeouts, greeting: 1, hello: 2, mail: 3, rcpt: 4, data: 5, text: 6, quit: 7 };
    const client = new MemoryClient({ timeouts });
    expect(client.session.deadline()).toBe(1);
    client.now = 100;
    client.hear('220 mx.example');
    readAll(client);
    expect(client.session.deadline()).toBe(102);
    client.now = 200;
    client.hear('250-mx.example', '250 PIPELINING');
    expect(client.session.deadline()).toBeUndefined();
    client.submit({});
    readAll(client);
    expect(client.session.deadline()).toBe(203);
    client.now = 202;
    client.hear('250 Ok');
    expect(client.session.deadline()).toBe(206);
    client.now = 205;
    client.hear('250 Ok');
    expect(client.session.deadline()).toBe(210);
    client.hear('354 go');
    readAll(client);
    expect(client.session.deadline()).toBe(211);
    client.hear('250 Ok');
    expect(client.session.deadline()).toBeUndefined();
    client.session.quit();
    client.pump();
    expect(client.session.deadline()).toBe(212);
  });

  it('CLI-TMO-1 are not put off by a host that drips its reply', () => {
    const slow = ready();
    slow.submit({});
    readAll(slow);
    const drops = Buffer.from('250-one\r\n250-two\r\n250-three\r\n');
    for (let at = 0; at < drops.length; at += 1) {
      slow.now += 11_000;
      slow.session.expire(slow.now);
      slow.send(drops.subarray(at, at + 1));
    }
    expect(slow.transactions[0]?.ending).toBe('timeout');
  });

  it('CLI-TMO-1 count a block of text while the host does not take it, and not while its source is slow', () => {
    const client = new MemoryClient();
    const { session } = client;
    client.hear('220 mx.example');
    readAll(client);
    client.hear('250-mx.example', '250 8BITMIME');
    const transaction = session.submit({
      reversePath: null,
      mail: {},
      recipients: [{ mailbox: { localPart: 'b', domain: 'example.com' }, parameters: {} }],
      text: 'pieces',
    });
    for (const reply of ['250 Ok', '250 Ok']) {
      client.pump();
      readAll(client);
      client.hear(reply);
    }
    readAll(client);
    session.receive(Buffer.from('354 go\r\n'));
    expect(session.next()).toEqual({ kind: 'text', transaction });
    expect(session.deadline()).toBeUndefined();
    client.now = 1000;
    session.feed(transaction, Buffer.from('one\r\n'));
    expect(session.deadline()).toBe(1000 + defaultTimeouts.block);
    session.takeOutput();
    session.drained();
    expect(session.next()).toEqual({ kind: 'text', transaction });
    expect(session.deadline()).toBeUndefined();
    session.feed(transaction, undefined);
    expect(session.deadline()).toBe(1000 + defaultTimeouts.text);
  });
});

describe('ClientSession', () => {
  it('EXT-PIPE-4 writes a whole group, and text with the next group, at once', () => {
    const client = ready(['PIPELINING']);
    const before = client.writes;
    client.submit({});
    client.submit({});
    expect(client.writes).toBe(before + 1);
    readAll(client);
    client.hear('250 Ok', '250 Ok', '354 go');
    expect(client.writes).toBe(before + 2);
    expect(readAll(client)).toEqual(['Hi', '.', 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.com>', 'DATA']);
  });

  it('CLI-BDAT-1 writes MAIL, RCPT, BDAT and the text at once, but waits with a large text until it is wanted', () => {
    const client = ready(['PIPELINING', 'CHUNKING']);
    client.submit({});
    expect(readAll(client)).toEqual(['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.com>', 'BDAT 4 LAST', 'Hi']);
    client.hear('250 Ok', '250 Ok', '250 Ok');
    client.submit({ text: 'x'.repeat(100_000) });
    expect(readAll(client)).toEqual(['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.com>']);
    client.hear('250 Ok', '550 no');
    expect(client.answers(1)).toEqual(['refused rcpt 550']);
    expect(readAll(client)).toEqual([]);
  });

  it('CLI-DUP-2 tells a transaction that may have arrived from one that cannot have', () => {
    const client = ready(['PIPELINING']);
    client.submit({});
    client.submit({});
    client.submit({});
    readAll(client);
    client.hear('250 Ok', '250 Ok', '354 go');
    client.event('lost');
    expect(client.transactions.map(({ begun, answered, ending }) => ({ begun, answered, ending }))).toEqual([
      { begun: true, answered: true, ending: 'lost' },
      { begun: true, answered: false, ending: 'lost' },
      { begun: false, answered: false, ending: 'lost' },
    ]);
    expect(client.transactions.map(({ phase }) => phase)).toEqual(['text', 'mail', 'mail']);
  });

  it('CLI-RPL-3 lets an abort wait for what is ahead of it', () => {
    const client = ready(['PIPELINING']);
    client.submit({});
    client.submit({});
    readAll(client);
    client.hear('250 Ok', '250 Ok', '354 go');
    readAll(client);
    client.event('abort 1');
    expect(client.session.ready).toBe(true);
    client.hear('250 taken');
    expect(client.answers(0)).toEqual(['accepted text 250']);
    expect(client.transactions[1]?.ending).toBe('aborted');
    expect(client.session.ready).toBe(false);
  });

  it('CLI-RPL-1 CLI-RPL-2 gives each recipient the reply that was meant for it, whatever host, order and extensions', () => {
    const codes = fc.constantFrom(250, 250, 250, 450, 550);
    const decision = fc.record({
      mail: codes,
      rcpt: fc.array(fc.constantFrom(250, 250, 451, 550), { minLength: 1, maxLength: 4 }),
      data: fc.constantFrom(354, 354, 354, 451, 554),
      text: fc.array(codes, { minLength: 4, maxLength: 4 }),
    });
    const offers = fc.subarray(['PIPELINING', 'CHUNKING', '8BITMIME', 'SIZE']);
    const protocol = fc.constantFrom('smtp' as const, 'lmtp' as const);
    fc.assert(
      fc.property(
        fc.array(decision, { maxLength: 6 }),
        offers,
        protocol,
        fc.boolean(),
        (messages, keywords, kind, batch) => {
          const client = ready(keywords, { protocol: kind });
          const wanted = messages.map((message) => expected(message, keywords.includes('CHUNKING'), kind === 'lmtp'));
          const host = new ModelHost(messages, kind === 'lmtp');
          for (const [index, { rcpt }] of messages.entries()) {
            client.submit({ from: `m${index}@example.org`, to: rcpt.map((_, at) => `r${at}@example.com`) });
            if (!batch) host.serve(client);
          }
          host.serve(client);
          expect(client.transactions.map(({ answers }) => answers.map(formatAnswer))).toEqual(wanted);
          expect(client.events.filter(({ kind: name }) => name === 'done')).toHaveLength(messages.length);
          expect(client.session.ready).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('ends every message exactly once with any host, and never waits for longer than its time-outs', () => {
    const line = fc.oneof(
      fc.constantFrom('250 ok', '250-more', '354 go', '550 no', '451 later', '220 hi', '334 ', '421 bye', '250'),
      fc.constantFrom('999 x', '', 'x'.repeat(600), '250 ok\n250 two', '235 in', '\0'),
      fc.string({ maxLength: 12 }),
    );
    const offers = fc.subarray(['PIPELINING', 'CHUNKING', '8BITMIME', 'STARTTLS', 'AUTH PLAIN', 'SIZE 3']);
    const startTls = fc.constantFrom('require' as const, 'try' as const, 'no' as const);
    const scene = fc.record({
      offers,
      startTls,
      protocol: fc.constantFrom('smtp' as const, 'lmtp' as const),
      pieces: fc.boolean(),
      lines: fc.array(line, { maxLength: 25 }),
      cut: fc.nat(9),
    });
    fc.assert(
      fc.property(scene, ({ lines, cut, pieces, offers: keywords, ...options }) => {
        const client = new MemoryClient(options);
        const message = pieces ? { pieces: ['a\n', 'b'] } : {};
        client.submit({ ...message, to: ['b@example.com', 'c@example.com'] });
        client.submit(message);
        const greeting = [
          '220 x',
          ...['x', ...keywords].map((text, at) => `250${at === keywords.length ? ' ' : '-'}${text}`),
        ];
        const octets = Buffer.from([...greeting, ...lines].map((text) => `${text}\r\n`).join(''));
        for (let at = 0; at < octets.length; at += cut + 1) {
          readAll(client);
          client.send(octets.subarray(at, at + cut + 1));
          if (client.events.at(-1)?.kind === 'handshake') client.event('tls');
        }
        readAll(client);
        for (let rounds = 0; rounds < 30 && client.session.deadline() !== undefined; rounds += 1) {
          client.now = client.session.deadline() ?? 0;
          client.session.expire(client.now);
          client.pump();
          readAll(client);
        }
        expect(client.session.deadline()).toBeUndefined();
        expect(client.events.filter(({ kind }) => kind === 'done')).toHaveLength(2);
        expect(client.events.filter(({ kind }) => kind === 'over').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });
});

interface Decision {
  readonly mail: number;
  readonly rcpt: readonly number[];
  readonly data: number;
  readonly text: readonly number[];
}

function kindOf(code: number): string {
  return code < 300 ? 'accepted' : code < 500 ? 'deferred' : 'refused';
}

/** The answers by hand: MAIL decides for all, RCPT for one, DATA for all that are left, then the text. */
function expected({ mail, rcpt, data, text }: Decision, chunked: boolean, lmtp: boolean): string[] {
  if (mail >= 400) return rcpt.map(() => `${kindOf(mail)} mail ${mail}`);
  let place = 0;
  return rcpt.map((code) => {
    if (code >= 400) return `${kindOf(code)} rcpt ${code}`;
    if (!chunked && data >= 400) return `${kindOf(data)} data ${data}`;
    const final = text[lmtp ? place++ : 0] ?? 250;
    return `${kindOf(final)} text ${final}`;
  });
}

/** A host that keeps to its decisions, and to the order of commands. */
class ModelHost {
  readonly #decisions: readonly Decision[];
  readonly #lmtp: boolean;
  #open: Decision | undefined;
  #broken = false;
  #tried = 0;
  #accepted = 0;

  constructor(decisions: readonly Decision[], lmtp: boolean) {
    this.#decisions = decisions;
    this.#lmtp = lmtp;
  }

  /** Answers all that the client says until it says no more. */
  serve(client: MemoryClient): void {
    for (let lines = readAll(client); lines.length > 0; lines = readAll(client)) {
      const replies: string[] = [];
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        replies.push(...this.#answer(line, lines).map((code) => `${code} x`));
      }
      client.hear(...replies);
    }
  }

  #answer(line: string, more: string[]): number[] {
    const verb = line.slice(0, 4);
    if (line === '.') return this.#finish();
    if (verb === 'BDAT') {
      more.shift();
      if (this.#accepted > 0) return this.#finish(true);
      return [503];
    }
    if (verb === 'RSET') {
      this.#reset();
      return [250];
    }
    if (verb === 'MAIL') return [this.#mail(line)];
    if (verb === 'RCPT') return [this.#rcpt()];
    if (verb === 'DATA') return [this.#accepted > 0 ? (this.#open?.data ?? 503) : 503];
    // A line of text: no reply.
    expect(line).toBe('Hi');
    return [];
  }

  #mail(line: string): number {
    if (this.#open !== undefined || this.#broken) return 503;
    const decision = this.#decisions[Number(/<m(\d+)@/.exec(line)?.[1])];
    if (decision !== undefined && decision.mail < 300) this.#open = decision;
    return decision?.mail ?? 501;
  }

  #rcpt(): number {
    const code = this.#open?.rcpt[this.#tried];
    if (this.#open !== undefined) this.#tried += 1;
    if (code !== undefined && code < 300) this.#accepted += 1;
    return code ?? 503;
  }

  #finish(chunked = false): number[] {
    const codes = this.#open?.text.slice(0, this.#lmtp ? this.#accepted : 1) ?? [503];
    const broken = chunked && codes.every((code) => code >= 400);
    this.#reset();
    this.#broken = broken;
    return codes;
  }

  #reset(): void {
    this.#open = undefined;
    this.#broken = false;
    this.#tried = 0;
    this.#accepted = 0;
  }
}
