import { ServerSession } from '@posthorn/smtp/protocol/server-session';
import { formatReply } from '@posthorn/smtp/reply/format-reply';
import { reply } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';
import { memoryHeld } from '../laws/memory-held.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { TestApplication } from '../laws/test-application.ts';
import { type RuleChange, testRules } from '../laws/test-rules.ts';

const hello = 'EHLO client.test';
const envelope = ['MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>'];

function open(change: RuleChange = {}, application?: TestApplication): MemoryServer {
  return new MemoryServer(testRules(change), application);
}

/** An application that answers one kind of event in its own way. */
function answering(kind: string, answer: ReturnType<TestApplication['handle']>): TestApplication {
  return new (class extends TestApplication {
    override handle(event: Parameters<TestApplication['handle']>[0]) {
      return event.kind === kind ? answer : super.handle(event);
    }
  })();
}

function codes(said: string): string[] {
  return said
    .split('\r\n')
    .filter((line) => line[3] === ' ')
    .map((line) => /^\d{3} (?:[245]\.\d+\.\d+(?= ))?/.exec(line)?.[0].trim() ?? line);
}

describe('the greeting', () => {
  it('GEN-6 REP-554 refuses with 554 and then answers 503 to all but QUIT', () => {
    const server = open({}, answering('connect', reply(550, '5.7.1', 'mx.example.test takes no mail from you')));
    expect(server.transcript).toBe('554 5.7.1 mx.example.test takes no mail from you\r\n');
    expect(codes(server.say(hello, 'MAIL FROM:<a@x.test>', 'NOOP', 'FOO', 'HELO'))).toEqual(Array(5).fill('503 5.5.1'));
    expect(codes(server.say('QUIT'))).toEqual(['221 2.0.0']);
    expect(server.session.isOver).toBe(true);
  });

  it('SUB-6 fetches no text for a client: BURL is not implemented', () => {
    const server = open();
    server.say(hello, ...envelope);
    expect(codes(server.say('BURL imap://ann@mail.x.test/Drafts;UIDVALIDITY=1/;UID=2 LAST', 'RSET'))).toEqual([
      '502 5.5.1',
      '250 2.0.0',
    ]);
  });

  it('SUB-13 never greets with 521 on submission', () => {
    const server = open({ role: 'submission' }, answering('connect', reply(521, undefined, 'not here')));
    expect(server.transcript).toBe('554 not here\r\n');
    const session = new ServerSession(testRules({ role: 'submission', earlyTalk: 'refuse' }), 0);
    session.next();
    session.receive(Buffer.from('EHLO client.test\r\n'), 1);
    session.answer(undefined, 2);
    expect(codes(session.takeOutput())).toEqual(['554 5.5.0']);
  });

  it('REP-521 closes at once behind 521', () => {
    const server = open({}, answering('connect', reply(521, undefined, 'mx.example.test does not accept mail')));
    expect(server.transcript).toBe('521 mx.example.test does not accept mail\r\n');
    expect(server.session.isOver).toBe(true);
  });

  it('REP-421 GEN-24 makes a temporary refusal a 421 and closes', () => {
    const server = open({}, answering('connect', reply(450, '4.7.1', 'Later')));
    expect(server.transcript).toBe('421 4.7.1 Later\r\n');
    expect(server.session.isOver).toBe(true);
  });
});

describe('clients that talk before their turn', () => {
  it('EXT-PIPE-5 ENH-5/5.5.0 are turned away behind EHLO and DATA when the rules say so', () => {
    const strict = open({ earlyTalk: 'refuse' });
    expect(codes(strict.say(hello, 'MAIL FROM:<a@x.test>'))).toEqual(['554 5.5.0']);
    expect(strict.session.isOver).toBe(true);
    const text = open({ earlyTalk: 'refuse' });
    text.say(hello);
    expect(codes(text.say(...envelope, 'DATA', 'Subject: hi', '.', ...envelope))).toEqual([
      '250 2.1.0',
      '250 2.1.5',
      '554 5.5.0',
    ]);
    expect([text.session.isOver, text.application.kept]).toEqual([true, []]);
  });

  it('EXT-PIPE-5 may do so otherwise, and get every reply in order', () => {
    const server = open();
    expect(codes(server.say(hello, ...envelope, 'DATA', 'hi', '.', 'QUIT'))).toEqual([
      '250',
      '250 2.1.0',
      '250 2.1.5',
      '354',
      '250 2.0.0',
      '221 2.0.0',
    ]);
  });
});

describe('lines', () => {
  it('GEN-11 GEN-12 takes 512 octets and more, refuses what is too long, and goes on', () => {
    const server = open();
    expect(codes(server.say(`NOOP ${'x'.repeat(505)}`))).toEqual(['250 2.0.0']);
    expect(codes(server.say(`NOOP ${'x'.repeat(4089)}`))).toEqual(['250 2.0.0']);
    expect(codes(server.say(`NOOP ${'x'.repeat(4090)}`))).toEqual(['500 5.5.2']);
    expect(codes(server.say(`NOOP ${'x'.repeat(100_000)}`, 'NOOP'))).toEqual(['500 5.5.2', '250 2.0.0']);
  });

  it('GEN-12 EXT-DSN-S1 takes every parameter on offer at its full length', () => {
    const extensions = {
      deliverBy: {},
      priority: {},
      noSoliciting: {},
      rrvs: true,
      tracking: true,
      checkpoint: true,
      futureRelease: { longest: 999_999_999 },
    };
    const server = open({ role: 'submission', cleartextAuth: true, extensions });
    server.say(hello);
    const more = [
      'BY=+999999999;NT HOLDUNTIL=2026-11-25T00:00:00.001Z MT-PRIORITY=-9',
      `SOLICIT=${'s'.repeat(1000)} TRANSID=<${'t'.repeat(38)}@${'t'.repeat(39)}> MTRK=${'m'.repeat(27)}:999999999`,
    ].join(' ');
    const auth = `AUTH=${'a+2B'.repeat(120)}`;
    const parameters = `SIZE=100000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=${'e'.repeat(100)} ${auth} ${more}`;
    expect(codes(server.say(`MAIL FROM:<${'l'.repeat(64)}@x.test> ${parameters}`))).toEqual(['250 2.1.0']);
    const orcpt = `ORCPT=rfc822;${'o'.repeat(493)}`;
    expect(
      codes(server.say(`RCPT TO:<b@y.test> NOTIFY=SUCCESS,FAILURE,DELAY ${orcpt} RRVS=2026-11-25T00:00:00+00:00;C`)),
    ).toEqual(['250 2.1.5']);
  });

  it('CMD-AUTH-4 REP-500 ENH-5/5.5.6 refuses a line of an exchange beyond 12288 octets', () => {
    const server = open({ cleartextAuth: true });
    server.say(hello);
    expect(codes(server.say(`AUTH PLAIN ${'A'.repeat(12_272)}`))).not.toContain('500 5.5.6');
    expect(codes(server.say(`AUTH PLAIN ${'A'.repeat(12_280)}`))).toEqual(['500 5.5.6']);
    expect(codes(server.say('AUTH LOGIN', 'A'.repeat(12_300), 'NOOP'))).toEqual(['334', '500 5.5.6', '250 2.0.0']);
  });

  it('GEN-4 answers a client that ends its lines with LF at once, and once a line', () => {
    const server = open();
    server.send(Buffer.from('EHLO client.test\n'));
    server.send(Buffer.from('MAIL FROM:<a@x.test>\nQUIT\n'));
    expect(server.transcript).toBe('220 mx.example.test ESMTP ready\r\n500 5.5.2 Lines must end in CRLF\r\n');
    expect(codes(server.say('', 'NOOP'))).toEqual(['250 2.0.0']);
  });

  it.each([
    ['a request of HTTP', 'GET / HTTP/1.1\r\nHost: mx.example.test\r\n\r\n'],
    ['CONNECT', 'CONNECT mx.example.test:25 HTTP/1.0\r\n'],
    ['a header field', 'User-Agent: curl\r\n'],
    ['a line that begins with no letter', '{"json": true}\r\n'],
    ['a TLS handshake, which has no line', '\x16\x03\x01\x02\x00'],
  ])('GEN-26 ends the session at %s', (_, octets) => {
    const server = open();
    server.send(Buffer.from(octets, 'latin1'));
    expect(codes(server.transcript)).toEqual(['220', '421 4.7.0']);
    expect(server.session.isOver).toBe(true);
  });

  it('GEN-13 GEN-14 GEN-16 REP-X2 cuts long replies of the application into lines of 512 octets', () => {
    const server = open({}, answering('mail', reply(550, '5.7.1', 'word '.repeat(300))));
    server.say(hello);
    const lines = server.say('MAIL FROM:<a@x.test>').split('\r\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(510);
    expect(lines.map((line) => line.slice(0, 9))).toEqual([...Array(lines.length - 1).fill('550-5.7.1'), '550 5.7.1']);
  });

  it("GEN-14 REP-X2 gives an application's reply without status, or with one of another class, the general one", () => {
    expect(codes(open({}, answering('hello', reply(550, undefined, 'No'))).say(hello))).toEqual(['550 5.0.0']);
    expect(codes(open({}, answering('hello', reply(450, '5.1.1', 'No'))).say(hello))).toEqual(['450 4.0.0']);
    expect(codes(open({}, answering('hello', reply(99, undefined, 'No'))).say(hello))).toEqual(['451 4.3.0']);
  });
});

describe('the text', () => {
  function send(server: MemoryServer, text: string): string {
    server.say(hello, ...envelope, 'DATA');
    const before = server.transcript.length;
    server.send(Buffer.from(text, 'latin1'));
    return server.transcript.slice(before);
  }

  it('CMD-DATA-5 EXT-8BIT-1 keeps lines of any length, NUL and all eight bits', () => {
    const server = open();
    const octets = Buffer.from(
      Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => octet !== 10 && octet !== 13),
    );
    const text = `${'x'.repeat(998)}\r\n${'y'.repeat(20_000)}\r\n${octets.toString('latin1')}\r\n`;
    expect(codes(send(server, `${text}.\r\n`))).toEqual(['250 2.0.0']);
    expect(server.application.kept[0]?.text).toBe(text);
  });

  it('EX-9 CMD-DATA-9 EXT-SIZE-3 reads an undeclared text that is too big to its end before it says 552', () => {
    const server = open({ limits: { messageSize: 1000 } });
    expect(codes(send(server, `${'x'.repeat(998)}\r\n.\r\n`))).toEqual(['250 2.0.0']);
    expect(send(server, `${'x'.repeat(999)}\r\n`)).toBe('');
    expect(codes(server.say('.', 'NOOP'))).toEqual(['552 5.3.4', '250 2.0.0']);
    expect(server.application.kept).toHaveLength(1);
  });

  it('EXT-SIZE-3 does not hold a wrong declaration against a text within the limit', () => {
    const server = open();
    server.say(hello, 'MAIL FROM:<a@x.test> SIZE=1', 'RCPT TO:<b@y.test>', 'DATA');
    expect(codes(server.say('far more than one octet', '.'))).toEqual(['250 2.0.0']);
  });

  it('GEN-3 makes every bare CR and LF a CRLF when the rules say so', () => {
    const server = open({ bareLineEnds: 'normalize' });
    send(server, 'a\nb\rc\r\n\r\n..\r\n.\r\n');
    expect(server.application.kept[0]?.text).toBe('a\r\nb\r\nc\r\n\r\n.\r\n');
  });

  it('GEN-3 CMD-BDAT-10 mends the end of a chunked text, too', () => {
    const server = open({ bareLineEnds: 'normalize' });
    server.say(hello, ...envelope);
    server.send(Buffer.from('BDAT 2\r\na\rBDAT 3 LAST\r\n\nb\r'));
    expect(server.application.kept[0]?.text).toBe('a\r\nb\r\n');
  });

  it('CMD-DATA-7 keeps nothing of a message that the application refuses at its end', () => {
    const server = open();
    expect(codes(send(server, 'Subject: spam\r\n.\r\n'))).toEqual(['550 5.7.1']);
    expect(codes(server.say('DATA', ...envelope))).toEqual(['503 5.5.1', '250 2.1.0', '250 2.1.5']);
  });

  it('CMD-DATA-2 REP-451 lets the application refuse at DATA, before the text', () => {
    const server = open({}, answering('message', reply(451, '4.7.1', 'Not now')));
    server.say(hello, ...envelope);
    expect(codes(server.say('DATA'))).toEqual(['451 4.7.1']);
    server.send(Buffer.from('BDAT 4\r\nNOOPBDAT 1 LAST\r\nx'));
    expect(codes(server.transcript).slice(-2)).toEqual(['451 4.7.1', '503 5.5.1']);
  });

  it('CMD-BDAT-4 lets the application refuse a chunk that more would follow', () => {
    const server = open({}, answering('chunk', reply(452, '4.3.1', 'Full')));
    server.say(hello, ...envelope);
    server.send(Buffer.from('BDAT 2\r\nabBDAT 2 LAST\r\ncd'));
    expect(codes(server.transcript).slice(-2)).toEqual(['452 4.3.1', '503 5.5.1']);
    expect(server.application.asked.at(-1)).toContain('abort');
  });

  it('CMD-BDAT-6 SEC-RES-1 swallows a chunk of any announced size without keeping it', () => {
    const server = open({ limits: { messageSize: 1000 } });
    server.say(hello, ...envelope, 'BDAT 999999999999999');
    const before = memoryHeld();
    const piece = Buffer.alloc(65_536, 'x');
    for (let count = 0; count < 1600; count += 1) server.send(piece);
    expect(memoryHeld() - before).toBeLessThan(4 * 1024 * 1024);
    expect(server.application.asked.filter((asked) => asked.startsWith('text'))).toEqual([]);
  });

  it('CMD-RSET-1 CMD-EHLO-2 CMD-QUIT-1 CMD-TLS-8 tell the application that a chunked text will have no end', () => {
    for (const verb of ['RSET', hello, 'HELO client.test', 'STARTTLS']) {
      const server = open();
      server.say(hello, ...envelope, 'BDAT 0', verb);
      expect(server.application.asked.at(-1)).toBe('{"kind":"abort"}');
    }
  });
});

describe('time', () => {
  it('GEN-21 REP-421 ENH-4/4.4.2 ends a session that says nothing for five minutes', () => {
    const server = open();
    server.say(hello, 'MAIL FROM:<a@x.test>');
    server.pass(299_999);
    expect(server.session.isOver).toBe(false);
    server.pass(1);
    expect(server.transcript.endsWith('421 4.4.2 mx.example.test Timeout\r\n')).toBe(true);
    expect(server.session.isOver).toBe(true);
  });

  it('GEN-21 waits anew for each command and each piece of text, but not for each octet of a command', () => {
    const server = open();
    server.say(hello, ...envelope, 'DATA');
    server.pass(299_000);
    server.send(Buffer.from('some text\r\n'));
    server.pass(299_000);
    server.say('.', 'NOOP');
    server.pass(200_000);
    server.send(Buffer.from('NO'));
    server.pass(100_000);
    expect(server.session.isOver).toBe(true);
  });

  it('GEN-21 blames no client for the time that an answer takes', () => {
    const server = open();
    server.session.receive(Buffer.from('EHLO client.test\r\n'), 0);
    expect(server.session.next()).toMatchObject({ kind: 'hello' });
    expect(server.session.deadline()).toBe(Number.POSITIVE_INFINITY);
    server.session.answer(undefined, 1_000_000);
    expect(server.session.deadline()).toBe(1_300_000);
  });

  it('SEC-RES-1 ends a session that goes on for too long', () => {
    const server = open({ limits: { sessionTime: 10_000 } });
    for (let time = 0; time < 9; time += 1) {
      server.pass(1000);
      server.say('NOOP');
    }
    expect(server.session.isOver).toBe(false);
    server.pass(1000);
    expect(codes(server.transcript).at(-1)).toBe('421 4.4.2');
  });
});

describe('faults', () => {
  it('SEC-RES-1 REP-421 slow a session down and then end it', () => {
    const server = open({ limits: { errors: 6, errorDelay: 700 } });
    server.say('FOO', 'FOO', 'FOO');
    expect(server.session.takeDelay()).toBe(0);
    server.say('FOO');
    expect([server.session.takeDelay(), server.session.takeDelay()]).toEqual([700, 0]);
    expect(codes(server.say('FOO', 'FOO', 'NOOP'))).toEqual(['500 5.5.1', '500 5.5.1', '421 4.7.0']);
    expect(server.session.isOver).toBe(true);
  });

  it('SEC-RES-1 are forgiven for an accepted message, and one for each accepted recipient', () => {
    const server = open({ limits: { errors: 4 } });
    server.say(hello, 'FOO', 'FOO', 'FOO', ...envelope, 'FOO', 'DATA', 'hi', '.');
    expect(codes(server.say('FOO', 'FOO', 'FOO', 'NOOP')).at(-1)).toBe('250 2.0.0');
  });

  it.each([
    ['NOOP', 'NOOP'],
    ['HELP', 'HELP'],
    ['EHLO', hello],
    ['RSET within transactions', 'MAIL FROM:<a@x.test>', 'RSET'],
    ['VRFY', 'VRFY someone'],
  ])('SEC-RES-1 REP-421 are commands of no use beyond many: %s', (_, ...lines) => {
    const server = open({ limits: { errors: 4 } });
    server.say(hello);
    let count = 0;
    for (; !server.session.isOver && count < 1000; count += 1) server.say(...lines);
    expect(codes(server.transcript).at(-1)).toBe('421 4.7.0');
    expect(count).toBeGreaterThanOrEqual(20);
    expect(count).toBeLessThanOrEqual(24);
  });

  it('SEC-RES-1 are not commands between messages that are accepted', () => {
    const server = open({ limits: { errors: 4 } });
    server.say(hello);
    for (let count = 0; count < 50; count += 1) {
      server.say('NOOP', 'RSET', ...envelope, 'DATA', 'hi', '.');
    }
    expect(server.session.isOver).toBe(false);
  });

  it('SEC-RES-1 are refusals for now, when there are many', () => {
    const later = { code: 450, status: '4.7.28', lines: ['Later'] } as const;
    const server = open({ limits: { errors: 4 } }, answering('mail', later));
    server.say(hello);
    for (let count = 0; count < 100; count += 1) server.say('MAIL FROM:<a@x.test>');
    expect(codes(server.transcript).at(-1)).toBe('421 4.7.0');
  });

  it('CMD-AUTH-18 of authentication slow down more and more and end the session after the third at the earliest', () => {
    const server = open({ cleartextAuth: true, limits: { authFailures: 3, errorDelay: 100 } });
    server.say(hello);
    const attempt = (): [string[], number] => [
      codes(server.say('AUTH PLAIN AGFsaWNlAHdyb25n')),
      server.session.takeDelay(),
    ];
    expect(attempt()).toEqual([['535 5.7.8'], 0]);
    expect(attempt()).toEqual([['535 5.7.8'], 100]);
    expect(attempt()).toEqual([['535 5.7.8', '421 4.7.0'], 200]);
  });

  it('CMD-AUTH-6 REP-454 of the application at AUTH are temporary', () => {
    for (const answer of [undefined, reply(250, '2.0.0', 'Ok'), reply(451, '4.3.0', 'x')]) {
      const server = open({ cleartextAuth: true }, answering('authenticate', answer));
      server.say(hello);
      expect(codes(server.say('AUTH PLAIN AGFsaWNlAHNlY3JldA=='))[0]).toMatch(/^4/);
      expect(server.session.login).toBeUndefined();
    }
  });

  it('CMD-AUTH-6 REP-432 REP-534/535/538 ENH-7/4.7.12 ENH-7/5.7.9 of any other kind reach the client as they are', () => {
    for (const answer of [reply(432, '4.7.12', 'Transition'), reply(534, '5.7.9', 'Too weak')]) {
      const server = open({ cleartextAuth: true }, answering('authenticate', answer));
      server.say(hello);
      expect(server.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==')).toBe(formatReply(answer));
    }
  });
});

describe('the end', () => {
  it('GEN-22 ENH-3/4.3.2 comes at once with 421 when nothing is under way', () => {
    const server = open();
    server.say(hello);
    server.event('shutdown');
    expect(server.transcript.endsWith('421 4.3.2 mx.example.test Service is shutting down\r\n')).toBe(true);
  });

  it('GEN-22 waits for the transaction under way', () => {
    const server = open();
    server.say(hello, 'MAIL FROM:<a@x.test>');
    server.event('shutdown');
    expect(codes(server.say('RCPT TO:<b@y.test>', 'DATA', 'hi'))).toEqual(['250 2.1.5', '354']);
    expect(codes(server.say('.', 'MAIL FROM:<c@x.test>'))).toEqual(['250 2.0.0', '421 4.3.2']);
    expect(server.application.kept).toHaveLength(1);
  });

  it('GEN-15 REP-421 comes with every 421 of the application', () => {
    const server = open({}, answering('mail', reply(421, '4.7.0', 'Enough')));
    server.say(hello);
    expect(codes(server.say('MAIL FROM:<a@x.test>', 'NOOP'))).toEqual(['421 4.7.0']);
    expect(server.session.isOver).toBe(true);
  });
});

describe('TLS', () => {
  it('CMD-TLS-6 leaves nothing but QUIT when the application finds it too weak', () => {
    const server = open({}, answering('secured', reply(554, '5.7.0', 'Too weak')));
    server.say(hello, 'STARTTLS');
    server.secure();
    expect(codes(server.say(hello, 'MAIL FROM:<a@x.test>', 'QUIT'))).toEqual(['554 5.7.0', '554 5.7.0', '221 2.0.0']);
  });

  it('CMD-TLS-1 REP-454 is answered 454 when it is not to be had now', () => {
    const server = open({}, answering('starttls', reply(454, '4.7.0', 'Not now')));
    server.say(hello);
    expect(codes(server.say('STARTTLS', 'NOOP'))).toEqual(['454 4.7.0', '250 2.0.0']);
  });

  it('CMD-TLS-2 SEC-SMUG-1 drops what comes in at any time before the handshake', () => {
    const server = open();
    server.say(hello, 'STARTTLS', 'MAIL FROM:<injected@x.test>');
    server.send(Buffer.from('RCPT TO:<injected@x.test>\r\n'));
    server.secure();
    expect(codes(server.say('NOOP'))).toEqual(['250 2.0.0']);
    expect(server.application.asked.join()).not.toContain('injected');
  });
});

it('EXT-UTF8-5 EXT-UTF8-2 keeps UTF-8 out of replies to clients that did not ask for it', () => {
  const application = answering('recipient', reply(251, '2.1.5', 'will forward to <Pelé@y.test>'));
  const plain = open({}, application);
  plain.say(hello, 'MAIL FROM:<a@x.test>');
  expect(plain.say('RCPT TO:<b@y.test>')).toBe('250 2.1.5 The answer needs SMTPUTF8\r\n');
  const utf8 = open({}, application);
  utf8.say(hello, 'MAIL FROM:<a@x.test> SMTPUTF8');
  expect(utf8.say('RCPT TO:<b@y.test>')).toBe('251 2.1.5 will forward to <Pelé@y.test>\r\n');
});

describe('what is offered', () => {
  it('CMD-EHLO-4 CMD-EHLO-1 names no verb that is then unknown or not implemented', () => {
    const changes: RuleChange[] = [
      {},
      { expand: true, cleartextAuth: true },
      { startTls: false, mechanisms: [] },
      { role: 'lmtp' },
    ];
    const form: Readonly<Record<string, string>> = {
      CHUNKING: 'BDAT 0',
      AUTH: 'AUTH PLAIN',
      VRFY: 'VRFY a',
      EXPN: 'EXPN a',
    };
    for (const change of changes) {
      const said = open(change).say(change.role === 'lmtp' ? 'LHLO client.test' : hello);
      const keywords = said
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.slice(4).split(' ')[0] ?? '');
      expect(keywords.length).toBeGreaterThan(5);
      for (const verb of ['STARTTLS', 'AUTH', 'VRFY', 'EXPN', 'HELP', 'CHUNKING']) {
        const server = open(change);
        server.say(change.role === 'lmtp' ? 'LHLO client.test' : hello);
        const isKnown = !/^50[02]|^503 5\.5\.1 Authentication/.test(server.say(form[verb] ?? verb));
        expect([verb, keywords.includes(verb)]).toEqual([verb, isKnown]);
      }
    }
  });

  it('EXT-SIZE-1 EXT-LIM-1 has no number where there is no limit', () => {
    const said = open({ limits: { messageSize: 0, recipients: 1_000_000 } }).say(hello);
    expect(said).toMatch(/^250-SIZE\r$/m);
    expect(said).not.toMatch(/LIMITS/);
  });
});

describe('recipients', () => {
  it('CMD-RCPT-5 REP-452 are a hundred at the least; the first over the limit is refused, and the others stay', () => {
    const server = open();
    server.say(hello, 'MAIL FROM:<a@x.test>');
    const said = server.say(...Array.from({ length: 101 }, (_, index) => `RCPT TO:<r${index}@y.test>`));
    expect(codes(said)).toEqual([...Array(100).fill('250 2.1.5'), '452 4.5.3']);
    server.say('DATA', 'hi', '.');
    expect(server.application.kept[0]?.transaction.recipients).toHaveLength(100);
  });

  it('SEC-RES-1 that are refused at the end of a text count as one fault, however many they are', () => {
    const server = open({ role: 'lmtp', limits: { errors: 3 } });
    server.say('LHLO client.test', 'MAIL FROM:<a@x.test>', ...Array(10).fill('RCPT TO:<b@y.test>'), 'DATA');
    expect(codes(server.say('Subject: spam', '.', 'NOOP'))).toEqual([...Array(10).fill('550 5.7.1'), '250 2.0.0']);
  });

  it('LMTP-3 cannot end the session one by one: 421 is 451 then', () => {
    const server = open({ role: 'lmtp' }, answering('end', reply(421, '4.2.1', 'Later')));
    server.say('LHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>', 'RCPT TO:<c@y.test>', 'DATA');
    expect(codes(server.say('.', 'NOOP'))).toEqual(['451 4.2.1', '451 4.2.1', '250 2.0.0']);
  });
});

it('SEC-RES-1 counts no temporary refusal against the client, as greylisting gives', () => {
  const server = open({ limits: { errors: 2 } });
  server.say(hello);
  expect(codes(server.say(...Array(5).fill('MAIL FROM:<later@x.test>'), 'NOOP')).at(-1)).toBe('250 2.0.0');
});

it('CMD-DATA-11 takes a header with any number of recipients and Resent fields', () => {
  const server = open();
  server.say(hello, ...envelope, 'DATA');
  const to = `To: ${Array(300).fill('someone@y.test').join(',\r\n ')}`;
  expect(codes(server.say(to, 'Resent-From: a@x.test', 'Resent-From: b@x.test', 'no header at all', '.'))).toEqual([
    '250 2.0.0',
  ]);
});

it('GEN-7 turns a client away that talks before the greeting, when the rules say so', () => {
  for (const [earlyTalk, wanted] of [
    ['refuse', '521 5.5.1'],
    ['allow', '220'],
  ] as const) {
    const session = new ServerSession(testRules({ earlyTalk }), 0);
    expect(session.next()).toEqual({ kind: 'connect' });
    session.receive(Buffer.from('EHLO client.test\r\n'), 1);
    session.answer(undefined, 2);
    expect(codes(session.takeOutput())).toEqual([wanted]);
    expect(session.isOver).toBe(earlyTalk === 'refuse');
  }
});
