import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { configOf, mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop, startSilentHop } from './next-hop.ts';

const sender = '<ann@example.org>';

/** Starts an agent that relays for its tests, each domain to its target. */
function startRelay(targets: Readonly<Record<string, string>>, queue: ConfigInput['queue'] = {}) {
  return startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    routes: Object.entries(targets).map(([domain, to]) => ({ domain, to })),
    queue: { retry: ['1s'], ...queue },
  }));
}

/** Answers RCPT by the words in its path, each `times` times. */
function answering(answers: Readonly<Record<string, string>>, times = Number.POSITIVE_INFINITY) {
  const left = new Map(Object.keys(answers).map((word) => [word, times]));
  return (verb: string, line: string) => {
    const word = verb === 'RCPT' ? Object.keys(answers).find((each) => line.includes(each)) : undefined;
    if (word === undefined || (left.get(word) ?? 0) <= 0) return undefined;
    left.set(word, (left.get(word) ?? 0) - 1);
    return answers[word];
  };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('relaying', () => {
  it('CLI-RPL-1 CLI-RTY-1 tries a deferred recipient again, and neither the one that has the mail nor the one that failed', async () => {
    await using hop = await startNextHop({
      reply: (() => {
        const later = answering({ later: '450 4.2.1 come again' }, 1);
        const never = answering({ never: '550 5.1.1 nobody' });
        return (verb: string, line: string) => later(verb, line) ?? never(verb, line);
      })(),
    });
    await using test = await startRelay({ '*': hop.to });
    await sendMail(test.port, {
      from: sender,
      to: ['<now@far.example>', '<later@far.example>', '<never@far.example>'],
    });
    await expect.poll(() => hop.taken.length, { timeout: 10_000 }).toBe(2);
    expect(hop.taken.map(({ rcpt }) => rcpt)).toEqual([['RCPT TO:<now@far.example>'], ['RCPT TO:<later@far.example>']]);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; never@far.example\n');
    expect(report).not.toContain('later@far.example');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('CLI-RPL-2 reads a refusal of the text for all recipients of its transaction, and for no other message', async () => {
    await using hop = await startNextHop({
      reply: (verb, line) => (verb === 'text' && line.includes('Subject: bad') ? '554 5.7.1 not this' : undefined),
    });
    await using test = await startRelay({ '*': hop.to });
    await sendMail(
      test.port,
      { from: sender, to: ['<a@far.example>', '<b@far.example>'], text: 'Subject: bad\r\n\r\nx\r\n' },
      { from: sender, to: ['<a@far.example>'], text: 'Subject: good\r\n\r\nx\r\n' },
    );
    const [report] = await mailIn(test, 'ann', 1);
    expect(report?.match(/\nFinal-Recipient: .*/g)).toEqual([
      '\nFinal-Recipient: rfc822; a@far.example',
      '\nFinal-Recipient: rfc822; b@far.example',
    ]);
    expect(report?.match(/\nStatus: 5\.7\.1\n/g)).toHaveLength(2);
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.text).toContain('Subject: good');
  });

  it('DSN-8 DSN-17 gives up when its time is over, with the class of the last answer', async () => {
    await using hop = await startNextHop({ reply: answering({ never: '450 4.2.1 come again' }) });
    await using test = await startRelay({ '*': hop.to }, { lifetime: '1s' });
    await sendMail(test.port, { from: sender, to: ['<never@far.example>'] });
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nAction: failed\n');
    expect(report).toContain('\nStatus: 4.2.1\n');
    expect(report).toContain('\nDiagnostic-Code: smtp; 450 4.2.1 come again\n');
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });

  it('DSN-11 tells once that a message is late, and until when it is tried', async () => {
    await using hop = await startNextHop({ reply: answering({ slow: '450 4.2.1 come again' }, 3) });
    await using test = await startRelay({ '*': hop.to }, { delayWarningAfter: '1s' });
    await sendMail(test.port, { from: sender, to: ['<slow@far.example>'] });
    await expect.poll(() => hop.taken.length, { timeout: 15_000 }).toBe(1);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nAction: delayed\n');
    expect(report).toContain('\nStatus: 4.2.1\n');
    expect(report).toMatch(/\nWill-Retry-Until: \w/);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'ann', 1);
  }, 20_000);

  it('EX-17 sends one transaction to each next hop and ends both sessions with QUIT', async () => {
    await using one = await startNextHop();
    await using two = await startNextHop();
    await using test = await startRelay({ 'one.example': one.to, 'two.example': two.to }, { connectionIdleTime: '0s' });
    await sendMail(test.port, { to: ['<a@one.example>', '<b@two.example>', '<c@one.example>'] });
    const lines = (hop: typeof one) => hop.sessions.flatMap((session) => session.lines);
    await expect.poll(() => [one, two].map((hop) => lines(hop).at(-1))).toEqual(['QUIT', 'QUIT']);
    expect(one.taken.map(({ rcpt }) => rcpt)).toEqual([['RCPT TO:<a@one.example>', 'RCPT TO:<c@one.example>']]);
    expect(two.taken.map(({ rcpt }) => rcpt)).toEqual([['RCPT TO:<b@two.example>']]);
  });

  it('CLI-DUP-3 writes down at once who has the mail while another next hop hangs', async () => {
    await using silent = await startSilentHop();
    await using hop = await startNextHop();
    await using test = await startRelay({ 'silent.example': silent.to, '*': hop.to });
    await sendMail(test.port, { to: ['<a@silent.example>', '<b@far.example>'] });
    const kinds = async () => {
      for await (const { state } of test.agent.store.list()) return state.recipients.map(({ kind }) => kind);
      return undefined;
    };
    await expect.poll(kinds).toEqual(['pending', 'delivered']);
    expect(silent.sessions).toHaveLength(1);
    expect(hop.taken).toHaveLength(1);
  });

  it('CLI-RPL-6 goes on with all other mail while one destination hangs', async () => {
    await using silent = await startSilentHop();
    await using hop = await startNextHop();
    await using test = await startRelay({ 'silent.example': silent.to, '*': hop.to }, { concurrencyPerDestination: 2 });
    const stuck = Array.from({ length: 50 }, () => ({ to: ['<a@silent.example>'] }));
    const others = Array.from({ length: 50 }, (_, at) => ({ to: [`<b${at}@far.example>`] }));
    await sendMail(test.port, ...stuck, ...others);
    await expect.poll(() => hop.taken.length, { timeout: 10_000 }).toBe(50);
    expect(silent.sessions).toHaveLength(2);
    expect(test.agent.store.count()).toBeGreaterThanOrEqual(50);
  });

  it('CLI-RPL-6 opens as many connections to a next hop as are allowed, and no warning of a leak comes of it', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    await using silent = await startSilentHop();
    await using test = await startRelay({ '*': silent.to }, { concurrencyPerDestination: 15 });
    await sendMail(test.port, ...Array.from({ length: 20 }, () => ({ to: ['<a@silent.example>'] })));
    await expect.poll(() => silent.sessions.length).toBe(15);
    await test.agent.close({ grace: 0 });
    process.off('warning', listen);
    expect(silent.sessions).toHaveLength(15);
    expect(warnings).toEqual([]);
  });

  it('ENH-4/4.4.1 defers mail for a host where nothing listens with 4.4.1', async () => {
    await using test = await startRelay({ '*': `smtp://127.0.0.1:${await closedPort()}?tls=none` });
    await sendMail(test.port, { to: ['<a@far.example>'] });
    const deferred = () => test.log.lines.filter(({ text }) => text === 'deferred').map(({ fields }) => fields);
    await expect.poll(() => deferred()[0]).toMatchObject({ to: 'a@far.example', status: '4.4.1' });
    expect(test.agent.store.count()).toBe(1);
  });

  it.each([
    ['says 421', '421 4.3.2 going down'],
    ['closes the connection', 'drop' as const],
  ])(
    'CLI-RPL-3 loses nothing and doubles nothing when a kept connection %s',
    async (_, answer) => {
      const mails = new Map<number, number>();
      await using hop = await startNextHop({
        reply: (verb, _line, session) => {
          if (verb !== 'MAIL') return undefined;
          mails.set(session, (mails.get(session) ?? 0) + 1);
          return mails.get(session) === 2 ? answer : undefined;
        },
      });
      await using test = await startRelay({ '*': hop.to }, { concurrencyPerDestination: 1 });
      await sendMail(test.port, ...Array.from({ length: 6 }, (_, at) => ({ to: [`<b${at}@far.example>`] })));
      await expect.poll(() => test.agent.store.count(), { timeout: 20_000 }).toBe(0);
      expect(hop.taken.map(({ rcpt }) => rcpt[0]).sort()).toEqual(
        Array.from({ length: 6 }, (_, at) => `RCPT TO:<b${at}@far.example>`),
      );
    },
    30_000,
  );

  it('CLI-LOOP-1 DSN-17 ends a loop through its own listener with one report', async () => {
    await using test = await startRelay({ '*': 'discard:' });
    const { hostname, dataDir, listeners } = test.config;
    test.agent.reload(
      configOf({
        hostname,
        dataDir,
        listeners: listeners.map(({ role }) => ({ role, host: '127.0.0.1', port: 0 })),
        domains: { 'example.org': { deliver: `maildir:${test.folder}/mail/{local}`, mailboxes: '*' } },
        relayFrom: ['127.0.0.0/8'],
        routes: [{ domain: '*', to: `smtp://127.0.0.1:${test.port}?tls=none` }],
      }),
    );
    await sendMail(test.port, { from: sender, to: ['<a@far.example>'] });
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nStatus: 5.4.6\n');
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'ann', 1);
  }, 30_000);

  it('takes mail for an alias of nobody and is done with it', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: {
        'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob'], aliases: { hole: [] } },
      },
    }));
    expect(await sendMail(test.port, { to: ['<hole@example.org>'] })).toEqual([expect.stringMatching(/^250 /)]);
    await expect.poll(() => test.agent.store.count()).toBe(0);
  });
});
