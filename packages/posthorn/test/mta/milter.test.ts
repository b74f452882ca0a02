import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import {
  accept,
  field,
  goOn,
  packet,
  type Script,
  type ScriptedMilter,
  type Seen,
  startMilter,
  terms,
  uint32,
} from '../filters/scripted-milter.ts';
import { mailIn, sendMail, startTestAgent, talk } from './fixture.ts';

type Filter = NonNullable<ConfigInput['contentFilters']>[number];

function agentWith(milters: readonly ScriptedMilter[], more: Partial<Filter> = {}, config: Partial<ConfigInput> = {}) {
  const contentFilters = milters.map(({ address }) => ({ kind: 'milter', address, ...more }) as Filter);
  return startTestAgent(() => ({ contentFilters, ...config }));
}

const hello = { send: 'EHLO client.example\r\n', replies: 1 };
const envelope = 'MAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.org>\r\n';
const text = 'From: bob@example.com\r\nSubject: one\r\n\ttwo\r\nX-Old: a\r\nX-Old: b\r\n\r\nthe body\r\n';

/** Sends the text to ann behind a filter that answers so, and gives the last reply and what is in her mailbox. */
async function filtered(script: Script, more: Partial<Filter> = {}) {
  await using milter = await startMilter(script);
  await using test = await agentWith([milter], more);
  const [reply = ''] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
  const mails = reply.startsWith('250') ? await mailIn(test, 'ann', 1) : [];
  return { reply, mail: mails[0] ?? '', milter, log: test.log.lines };
}

const atEnd =
  (...packets: readonly Buffer[]) =>
  ({ letter }: Seen) =>
    letter === 'E' ? [...packets, goOn] : undefined;

/** The fields of a delivered message behind the trace, the one above it, and its body. */
function partsOf(mail: string): { top: string; fields: string[]; body: string } {
  const [header = '', body = ''] = mail.split(/\r?\n\r?\n/);
  const fields = header.split(/\r?\n(?![ \t])/);
  const received = fields.findIndex((each) => each.startsWith('Received:'));
  return {
    top: fields[received - 1] ?? '',
    fields: fields.slice(received + 1).map((each) => each.replace(/\r/g, '')),
    body,
  };
}

describe('a milter', () => {
  it('hears of every stage with its macros, and of nothing that came after', async () => {
    await using milter = await startMilter({ macros: { 3: '{rcpt_addr} i' } });
    await using test = await agentWith([milter]);
    await talk(test.port, [
      hello,
      {
        send: 'MAIL FROM:<bob@example.com> SIZE=500 BODY=8BITMIME\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n',
        replies: 3,
      },
      { send: `${text}.\r\nQUIT\r\n`, replies: 2 },
    ]);
    await expect.poll(() => milter.seen.at(-1)?.letter).toBe('Q');
    expect(milter.seen.map(({ letter }) => letter).join('')).toBe('OCHMRTLLLLNBEQ');
    const of = (letter: string) => milter.seen.filter((each) => each.letter === letter);
    expect(of('O')[0]?.payload.readUInt32BE(0)).toBe(6);
    expect(of('C')[0]?.payload.toString('latin1')).toMatch(/^\[127\.0\.0\.1\]\x004..127\.0\.0\.1\0$/s);
    expect(of('H')[0]?.texts).toEqual(['client.example']);
    expect(of('M')[0]?.texts).toEqual(['<bob@example.com>', 'SIZE=500', 'BODY=8BITMIME']);
    expect(of('R')[0]?.texts).toEqual(['<ann@example.org>']);
    expect(of('L').map(({ texts }) => texts)).toEqual([
      ['From', 'bob@example.com'],
      ['Subject', 'one\n\ttwo'],
      ['X-Old', 'a'],
      ['X-Old', 'b'],
    ]);
    expect(of('B')[0]?.payload.toString()).toBe('the body\r\n');
    const id = milter.macros.get('M')?.i;
    expect(test.log.lines.find((line) => line.text === 'queued')?.fields).toMatchObject({ id });
    expect(milter.macros.get('C')).toMatchObject({
      j: 'mx.example.org',
      '{client_addr}': '127.0.0.1',
      '{daemon_name}': 'mx',
    });
    expect(milter.macros.get('M')).toMatchObject({ '{mail_addr}': 'bob@example.com', '{mail_host}': 'example.com' });
    expect(milter.macros.get('R')).toEqual({ '{rcpt_addr}': 'ann@example.org', i: id });
    expect(milter.macros.get('E')).toEqual({ i: id });
  });

  it('refuses at each stage', async () => {
    const codes = { C: '554', H: '550', M: '550', R: '550', T: '550', L: '550', N: '550', B: '550', E: '550' };
    for (const [stage, code] of Object.entries(codes)) {
      await using milter = await startMilter({ answer: ({ letter }) => (letter === stage ? packet('r') : undefined) });
      await using test = await agentWith([milter]);
      const replies = await talk(test.port, [
        hello,
        { send: `${envelope}DATA\r\n`, replies: 3 },
        ...('LNBE'.includes(stage) ? [{ send: `${text}.\r\n`, replies: 1 }] : []),
      ]).catch(() => []);
      const refused = replies.find((reply) => reply.startsWith('5'));
      expect(`${stage} ${refused}`).toContain(`${stage} ${code} 5.7.1`);
    }
  });

  it('puts off at each stage, and its own words go to the client', async () => {
    for (const stage of 'MRTLNBE') {
      const said = packet('y', '452 4.2.2 100%% full\0');
      await using milter = await startMilter({ answer: ({ letter }) => (letter === stage ? said : undefined) });
      await using test = await agentWith([milter]);
      const replies = await talk(test.port, [
        hello,
        { send: `${envelope}DATA\r\n`, replies: 3 },
        ...('LNBE'.includes(stage) ? [{ send: `${text}.\r\n`, replies: 1 }] : []),
      ]);
      expect(replies).toContainEqual('452 4.2.2 100% full');
    }
  });

  it('ends the session with 421', async () => {
    for (const letter of ['4', 'f']) {
      const { reply } = await filtered({ answer: (seen) => (seen.letter === 'E' ? packet(letter) : undefined) });
      expect(reply).toMatch(/^421 4\.7\.0/);
    }
  });

  it('DSN-18 discards at each stage of a message: the client is told 250, nobody gets it, and the log says so', async () => {
    for (const stage of 'MRTLNBE') {
      await using milter = await startMilter({ answer: ({ letter }) => (letter === stage ? packet('d') : undefined) });
      await using test = await agentWith([milter]);
      const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
      expect(reply).toBe('250 2.0.0 Ok: queued');
      expect(test.log.lines.map((line) => line.text)).toContain('discarded by a filter');
      expect(test.agent.store.count()).toBe(0);
    }
  });

  it('is asked no more about what it accepted: a message, or a session', async () => {
    const heard = async (stage: string) => {
      await using milter = await startMilter({ answer: ({ letter }) => (letter === stage ? accept : undefined) });
      await using test = await agentWith([milter]);
      await sendMail(test.port, { to: ['<ann@example.org>'], text }, { to: ['<ann@example.org>'], text });
      await expect.poll(() => milter.seen.at(-1)?.letter).toBe('Q');
      return milter.seen.map(({ letter }) => letter).join('');
    };
    expect(await heard('C')).toBe('OCQ');
    expect(await heard('H')).toBe('OCHQ');
    expect(await heard('M')).toBe('OCHMAMAQ');
    expect(await heard('R')).toBe('OCHMRAMRAQ');
    expect(await heard('L')).toBe('OCHMRTLAMRTLAQ');
    expect(await heard('E')).toBe('OCHMRTLLLLNBEMRTLLLLNBEQ');
  });

  it('does without the stages that it does not want, and without replies to them', async () => {
    await using quiet = await startMilter({
      steps: 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x80 | 0x40000 | 0x80000,
      answer: ({ letter }) => (letter === 'O' || letter === 'E' ? undefined : []),
    });
    await using deaf = await startMilter({ steps: 0x7f | 0x200 });
    await using test = await agentWith([quiet, deaf]);
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^250/);
    await expect.poll(() => deaf.seen.at(-1)?.letter).toBe('Q');
    await expect.poll(() => quiet.seen.at(-1)?.letter).toBe('Q');
    expect(quiet.seen.map(({ letter }) => letter).join('')).toBe('OCHMRTLLLLNBEQ');
    expect(deaf.seen.map(({ letter }) => letter).join('')).toBe('OEQ');
  });

  it('gets a body in chunks of at most 65,535 octets, and no more of it than it wants', async () => {
    const long = `Subject: x\r\n\r\n${'0123456789abcde\r\n'.repeat(40_000)}`;
    await using milter = await startMilter();
    await using sated = await startMilter({ answer: ({ letter }) => (letter === 'B' ? packet('s') : undefined) });
    await using test = await agentWith([milter, sated]);
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text: long });
    expect(reply).toMatch(/^250/);
    const chunks = milter.seen.filter(({ letter }) => letter === 'B').map(({ payload }) => payload);
    expect(Math.max(...chunks.map(({ length }) => length))).toBe(65_535);
    expect(Buffer.concat(chunks).toString('latin1')).toBe(long.slice(14));
    expect(sated.seen.filter(({ letter }) => letter === 'B').length).toBe(1);
    expect(sated.seen.some(({ letter }) => letter === 'E')).toBe(true);
  });

  it('adds, inserts, changes and removes fields, above the trace and below it', async () => {
    const { mail } = await filtered({
      answer: atEnd(
        field('h', 'X-Last', 'one\n\ttwo'),
        field('i', 'X-Top', 'up', 0),
        field('i', 'X-Second', 'below the trace', 2),
        field('m', 'subject', 'another', 1),
        field('m', 'X-Old', '', 1),
        field('m', 'X-New', 'made', 1),
        field('m', 'X-Absent', '', 1),
        packet('p'),
      ),
    });
    const { top, fields, body } = partsOf(mail);
    expect(top).toBe('X-Top: up');
    expect(fields).toEqual([
      'X-Second: below the trace',
      'From: bob@example.com',
      'subject: another',
      'X-Old: b',
      'X-Last: one\n\ttwo',
      'X-New: made',
    ]);
    expect(body).toMatch(/^the body\r?\n$/);
  });

  it('cannot break out of a field, nor take the trace for its own', async () => {
    const { mail } = await filtered({
      answer: atEnd(
        field('h', 'X-Evil', 'a\nBcc: eve@example.net\n\n\nnot the body\r\n'),
        field('m', 'Received', '', 1),
      ),
    });
    const { fields, body } = partsOf(mail);
    expect(fields.at(-1)).toBe('X-Evil: a\n\tBcc: eve@example.net\n\tnot the body');
    expect(body).toMatch(/^the body/);
    expect(mail).toContain('Received: from');
  });

  it('keeps the blank behind a colon as it is, where both sides can', async () => {
    const { milter, mail } = await filtered({
      steps: 0x100000,
      answer: atEnd(field('h', 'X-Tight', 'tight'), field('h', 'X-Wide', '  wide')),
    });
    expect(milter.seen.find(({ letter }) => letter === 'L')?.texts).toEqual(['From', ' bob@example.com']);
    expect(partsOf(mail).fields.slice(-2)).toEqual(['X-Tight:tight', 'X-Wide:  wide']);
  });

  it('replaces the body, small or large, and the next filter sees what it made of it', async () => {
    for (const lines of [1, 40_000]) {
      const line = Buffer.from('another body\r\n');
      const chunk = Buffer.concat(Array.from({ length: Math.min(lines, 4000) }, () => line));
      const chunks = Array.from({ length: Math.ceil(lines / 4000) }, () => packet('b', chunk));
      await using first = await startMilter({ answer: atEnd(...chunks, field('h', 'X-First', 'yes')) });
      await using second = await startMilter({ answer: atEnd(field('h', 'X-Second', 'yes')) });
      await using test = await agentWith([first, second]);
      const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
      expect(reply).toMatch(/^250/);
      const mail = (await mailIn(test, 'ann', 1))[0]?.replaceAll('\r\n', '\n') ?? '';
      const { fields } = partsOf(mail);
      expect(mail.slice(mail.indexOf('\n\n') + 2)).toBe('another body\n'.repeat(lines));
      expect(fields.slice(-2)).toEqual(['X-First: yes', 'X-Second: yes']);
      const seen = second.seen.filter(({ letter }) => letter === 'B').map(({ payload }) => payload);
      expect(Buffer.concat(seen).toString()).toBe('another body\r\n'.repeat(lines));
      expect(second.seen.filter(({ letter }) => letter === 'L').at(-1)?.texts).toEqual(['X-First', 'yes']);
    }
  });

  it('changes a large message whose text is on disk, and names it by the id that it has then', async () => {
    const long = `Subject: x\r\n\r\n${'0123456789abcde\r\n'.repeat(60_000)}`;
    await using milter = await startMilter({ answer: atEnd(field('h', 'X-Seen', 'yes')) });
    await using test = await agentWith([milter]);
    const [reply = ''] = await sendMail(test.port, { to: ['<ann@example.org>'], text: long });
    const id = / queued as (\w+)/.exec(reply)?.[1] ?? 'none';
    const mail = ((await mailIn(test, 'ann', 1))[0] ?? '').replaceAll('\r\n', '\n');
    expect(partsOf(mail.slice(0, 2000)).fields).toEqual(['Subject: x', 'X-Seen: yes']);
    expect(mail).toContain(` id ${id}`);
    expect(mail.slice(mail.indexOf('\n\n') + 2)).toBe(long.slice(14).replaceAll('\r\n', '\n'));
  });

  it('changes the sender and the recipients, with their parameters', async () => {
    const { log } = await filtered({
      answer: atEnd(packet('e', '<carol@example.net>\0RET=HDRS ENVID=x7\0'), packet('+', '<ann@example.org>\0')),
    });
    expect(log.find((line) => line.text === 'queued')?.fields).toMatchObject({ from: 'carol@example.net' });
    await using milter = await startMilter({
      answer: atEnd(
        packet('2', 'cid@example.org\0NOTIFY=NEVER\0'),
        packet('-', '<ANN@example.org>\0'),
        packet('-', '<ann@EXAMPLE.org>\0'),
        packet('+', 'two words\r\nRCPT TO:<eve@example.org>\0'),
      ),
    });
    await using test = await agentWith([milter]);
    await sendMail(test.port, { to: ['<ann@example.org>', '<dan@example.org>'], text });
    await mailIn(test, 'cid', 1);
    await mailIn(test, 'dan', 1);
    await mailIn(test, 'ann', 0);
    expect(test.log.lines.map((line) => line.text)).toContain('a filter names a malformed address');
  });

  it('discards a message that it leaves no recipient', async () => {
    await using milter = await startMilter({ answer: atEnd(packet('-', '<ann@example.org>\0')) });
    await using test = await agentWith([milter]);
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toBe('250 2.0.0 Ok: queued');
    expect(test.log.lines.map((line) => line.text)).toContain('filters left no recipient, discarded');
    expect(test.agent.store.count()).toBe(0);
  });

  it('holds a message back until an operator lets it go', async () => {
    await using milter = await startMilter({ answer: atEnd(packet('q', 'looks odd\0')) });
    await using test = await agentWith([milter]);
    const [reply = ''] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    const id = / queued as (\w+)/.exec(reply)?.[1] ?? 'none';
    const message = await test.agent.store.get(id);
    expect(message?.state.held).toBe(true);
    expect(test.log.lines.find((line) => line.text === 'held for a filter')?.fields).toEqual({
      id,
      reason: 'looks odd',
    });
    await test.agent.store.change(id, ({ state }) => ({ state: { ...state, held: false }, reports: [] }));
    test.agent.wake();
    await mailIn(test, 'ann', 1);
  });

  it('changes nothing of a message that it then refuses, or accepts early', async () => {
    const changes = [field('h', 'X-Never', 'seen'), packet('b', 'gone'), packet('r')];
    const { reply } = await filtered({ answer: ({ letter }) => (letter === 'E' ? changes : undefined) });
    expect(reply).toMatch(/^550 5\.7\.1/);
  });

  it('tells of a message that is given up with abort, and begins anew', async () => {
    await using milter = await startMilter();
    await using test = await agentWith([milter]);
    await talk(test.port, [
      hello,
      { send: `${envelope}RSET\r\n${envelope}EHLO again.example\r\n${envelope}QUIT\r\n`, replies: 9 },
    ]);
    await expect.poll(() => milter.seen.at(-1)?.letter).toBe('Q');
    expect(milter.seen.map(({ letter }) => letter).join('')).toBe('OCHMRAMRAHMRAQ');
  });

  it('has a connection for each session, and understands those that speak an older version', async () => {
    await using milter = await startMilter();
    await using old = await startMilter({ version: 2, steps: 0x6f, actions: 0x3f });
    await using test = await agentWith([milter, old]);
    for (let turn = 0; turn < 3; turn += 1) {
      await sendMail(test.port, { to: ['<ann@example.org>'], text });
      await expect.poll(() => old.seen.filter(({ letter }) => letter === 'Q').length).toBe(turn + 1);
    }
    expect([milter.connections(), old.connections()]).toEqual([3, 3]);
    expect(old.seen.map(({ letter }) => letter).join('')).toBe('OBEQOBEQOBEQ');
  });

  it('is left alone by a client that is gone before it has answered', async () => {
    await using milter = await startMilter({ answer: ({ letter }) => (letter === 'O' ? [] : undefined) });
    await using test = await agentWith([milter]);
    const client = connect({ port: test.port, host: '127.0.0.1' });
    await expect.poll(() => milter.seen.length).toBe(1);
    client.resetAndDestroy();
    milter.say(terms({}));
    await expect.poll(() => milter.seen.at(-1)?.letter).toBe('Q');
    expect(test.log.lines.map((line) => line.text)).not.toContain('a filter cannot be asked');
  });

  it('is reached by a UNIX socket', async () => {
    const { mail } = await filtered({ local: true, answer: atEnd(field('h', 'X-Local', 'yes')) });
    expect(partsOf(mail).fields.at(-1)).toBe('X-Local: yes');
  });
});

describe('a milter that fails', () => {
  const faults: Record<string, Script> = {
    'is silent': { answer: ({ letter }) => (letter === 'O' ? undefined : []) },
    'wants what is not offered': { steps: 0x800 },
    'speaks no protocol': { answer: () => Buffer.from('220 mail.example ESMTP\r\n') },
    'sends a packet without a length': { answer: ({ letter }) => (letter === 'E' ? Buffer.alloc(4) : undefined) },
    'answers with changes too early': { answer: ({ letter }) => (letter === 'M' ? field('h', 'X', 'y') : undefined) },
    'discards a session': { answer: ({ letter }) => (letter === 'C' ? packet('d') : undefined) },
    'negotiates twice': { answer: ({ letter }) => (letter === 'M' ? terms({}) : undefined) },
    'writes a reply that is none': { answer: ({ letter }) => (letter === 'E' ? packet('y', '250 fine\0') : undefined) },
    'wants a thousand changes': {
      answer: ({ letter }) =>
        letter === 'E' ? Array.from({ length: 1100 }, () => field('h', 'X-Many', 'more')) : undefined,
    },
    'names a field that is none': { answer: atEnd(field('h', 'X Bad:', 'y')) },
  };

  it.each(Object.entries(faults))('costs what its fallback says when it %s', async (_, script) => {
    const times = { connect: '2s', reply: '300ms', message: '300ms' } as const;
    const replyTo = async (fallback: 'accept' | 'tempfail' | 'reject') => {
      await using milter = await startMilter(script);
      await using test = await agentWith([milter], { fallback, times });
      const replies = await talk(test.port, [
        hello,
        { send: envelope, replies: 2 },
        { send: 'DATA\r\n', replies: 1 },
        { send: `${text}.\r\nQUIT\r\n`, replies: 1 },
      ]);
      expect(test.log.lines.map((line) => line.text)).toContain('a filter cannot be asked');
      if (fallback === 'accept') expect((await mailIn(test, 'ann', 1))[0]).not.toContain('X-Many');
      return replies.slice(2).find((reply) => !/^(250 2\.1|354|503|554 5\.5|500|221)/.test(reply));
    };
    expect(await replyTo('accept')).toMatch(/^250 2\.0\.0/);
    expect(await replyTo('tempfail')).toMatch(/^451 4\.7\.1/);
    expect(await replyTo('reject')).toMatch(/^550 5\.7\.1/);
  });

  it('costs that, too, when nobody is there, and when it hangs up within a message', async () => {
    const gone = await startMilter();
    await gone[Symbol.asyncDispose]();
    await using test = await agentWith([gone]);
    expect(await sendMail(test.port, { to: ['<ann@example.org>'] }).catch(() => 'ended')).toBeDefined();
    const replies = await talk(test.port, [hello, { send: 'MAIL FROM:<>\r\n', replies: 1 }]);
    expect(replies.at(-1)).toMatch(/^451 4\.7\.1/);
    let milter: ScriptedMilter | undefined;
    await using cutting = await startMilter({
      answer({ letter }) {
        if (letter === 'B') milter?.cut();
        return undefined;
      },
    });
    milter = cutting;
    await using second = await agentWith([cutting]);
    const [reply] = await sendMail(second.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^451 4\.7\.1/);
  });

  it('does not bring a larger body in than messages may have', async () => {
    const chunk = packet('b', Buffer.alloc(65_535, 'a'));
    await using milter = await startMilter({ answer: atEnd(...Array.from({ length: 5 }, () => chunk)) });
    await using test = await agentWith([milter], {}, { limits: { messageSize: '200KB' } });
    const [reply] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
    expect(reply).toMatch(/^451 4\.7\.1/);
    expect(test.agent.store.count()).toBe(0);
  });

  it('never ends the server, whatever it sends', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const packets = fc
      .tuple(fc.constantFrom(...'cartdsp4f+-2ehibmqyOl?'), bytes)
      .map(([letter, payload]) => packet(letter, payload));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(packets, bytes), { maxLength: 4 }),
        fc.constantFrom(...'OCMLE'),
        async (said, stage) => {
          await using milter = await startMilter({
            answer: ({ letter }) => (letter === stage ? [Buffer.concat([...said, uint32(0)])] : undefined),
          });
          await using test = await agentWith([milter], { fallback: 'accept', times: { reply: '1s', message: '1s' } });
          const replies = await talk(test.port, [hello, { send: envelope, replies: 2 }]).catch(() => ['closed']);
          expect(replies.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 25 },
    );
  });
});
