import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { sendMail, startTestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { tlsIn } from './tls-in.ts';

const local = { networks: ['127.0.0.0/8'] };

/** An agent that relays to a host, which is away until `comeBack`. */
async function startPair(change: Partial<ConfigInput> = { etrn: local }) {
  let isAway = true;
  const hop = await startNextHop({ reply: (verb) => (isAway && verb === 'MAIL' ? '450 4.3.2 away' : undefined) });
  const test = await startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    domains: { 'foo.test': { relay: true }, 'sub.foo.test': { relay: true }, 'bar.test': { relay: true } },
    routes: [{ domain: '*', to: hop.to }],
    queue: { retry: ['1h'] },
    ...change,
  }));
  return {
    hop,
    test,
    comeBack() {
      isAway = false;
    },
    /** Hands messages in that are deferred. */
    async leave(...to: string[]) {
      await sendMail(test.port, ...to.map((each) => ({ to: [each] })));
      await expect.poll(() => test.agent.inHand(), { interval: 5 }).toBe(0);
    },
    async ask(...nodes: string[]) {
      const lines = nodes.map((node) => ({ send: `ETRN ${node}\r\n`, replies: 1 }));
      return (await talk(test.port, [{ send: 'EHLO client.example\r\n', replies: 1 }, ...lines])).slice(2);
    },
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
    },
  };
}

describe('a queue that is started from outside', () => {
  it('CMD-ETRN-1 CMD-ETRN-2 CMD-ETRN-3 REP-251 REP-253 EX-14 has its mail tried at once, on a new connection', async () => {
    await using pair = await startPair();
    await pair.leave('<a@foo.test>', '<b@FOO.test>', '<c@bar.test>');
    pair.comeBack();
    expect(pair.hop.taken).toEqual([]);
    expect(await pair.ask('foo.test')).toEqual([
      expect.stringMatching(/^253 2\.0\.0 Ok, 2 pending messages for node foo\.test/),
    ]);
    await expect.poll(() => pair.hop.taken.length).toBe(2);
    expect(pair.hop.takenFor('bar.test')).toEqual([]);
    await expect.poll(() => pair.test.agent.store.count()).toBe(1);
    expect(await pair.ask('foo.test', 'sub.foo.test')).toEqual([
      expect.stringMatching(/^251 2\.0\.0 /),
      expect.stringMatching(/^251 2\.0\.0 /),
    ]);
  });

  it('CMD-ETRN-5 REP-458/459 EX-14 is started for nobody who is not listed, and for no domain that is not kept here', async () => {
    await using pair = await startPair({ etrn: { networks: ['192.0.2.0/24'] } });
    expect(await pair.ask('foo.test')).toEqual([expect.stringMatching(/^459 4\.7\.1 Node foo\.test not allowed: /)]);
    await using listed = await startPair();
    expect(await listed.ask('other.test', '@test', '@other.test', '#uucp', 'x.foo.test', '[192.0.2.1]')).toEqual([
      expect.stringMatching(/^459 4\.7\.1 Node other\.test not allowed: /),
      expect.stringMatching(/^501 5\.5\.4 /),
      expect.stringMatching(/^459 4\.7\.1 Node @other\.test not allowed: /),
      expect.stringMatching(/^459 4\.7\.1 Node #uucp not allowed: /),
      expect.stringMatching(/^459 4\.7\.1 /),
      expect.stringMatching(/^459 4\.7\.1 /),
    ]);
  });

  it('CMD-ETRN-6 may be that of a domain with all below it, or one with a name', async () => {
    await using pair = await startPair({ etrn: { ...local, queues: { night: ['bar.test', 'sub.foo.test'] } } });
    await pair.leave('<a@foo.test>', '<b@sub.foo.test>', '<c@bar.test>');
    pair.comeBack();
    expect(await pair.ask('@foo.test')).toEqual([
      expect.stringMatching(/^253 2\.0\.0 Ok, 2 pending messages for node @foo\.test/),
    ]);
    await expect.poll(() => pair.hop.taken.length).toBe(2);
    expect(pair.hop.takenFor('bar.test')).toEqual([]);
    await expect.poll(() => pair.test.agent.store.count()).toBe(1);
    expect(await pair.ask('#night')).toEqual([
      expect.stringMatching(/^253 2\.0\.0 Ok, 1 pending messages for node #night/),
    ]);
    await expect.poll(() => pair.hop.takenFor('bar.test').length).toBe(1);
  });

  it('CMD-ETRN-6 keeps to the domains that are named in the configuration', async () => {
    await using pair = await startPair({ etrn: { ...local, domains: ['*.foo.test'] } });
    await pair.leave('<a@foo.test>', '<b@sub.foo.test>');
    pair.comeBack();
    expect(await pair.ask('foo.test', 'bar.test')).toEqual([
      expect.stringMatching(/^459 /),
      expect.stringMatching(/^459 /),
    ]);
    expect(await pair.ask('@foo.test')).toEqual([expect.stringMatching(/^253 /)]);
    await expect.poll(() => pair.hop.takenFor('sub.foo.test').length).toBe(1);
    await expect.poll(() => pair.test.agent.store.count()).toBe(1);
    expect(pair.hop.taken).toHaveLength(1);
  });

  it('CMD-ETRN-2 leaves other recipients of the same message their time', async () => {
    await using pair = await startPair();
    await sendMail(pair.test.port, { to: ['<a@foo.test>', '<b@bar.test>'] });
    await expect.poll(() => pair.test.agent.inHand(), { interval: 5 }).toBe(0);
    pair.comeBack();
    await pair.ask('foo.test');
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    expect(pair.hop.taken[0]?.rcpt).toEqual(['RCPT TO:<a@foo.test>']);
    await expect.poll(() => pair.test.agent.inHand(), { interval: 5 }).toBe(0);
    expect(pair.test.agent.store.nextDue()).toBeGreaterThan(Date.now() + 1_000_000);
  });

  it('CMD-ETRN-7 REP-458/459 is started so often a minute and no more', async () => {
    await using pair = await startPair({ etrn: { ...local, requestsPerMinute: 2 } });
    expect((await pair.ask('foo.test', 'foo.test', 'foo.test')).map((line) => line.slice(0, 9))).toEqual([
      '251 2.0.0',
      '251 2.0.0',
      '458 4.3.0',
    ]);
  });

  it('CMD-ETRN-7 SUB-13 REP-502 is not offered unless it is configured, and never where mail is handed in', async () => {
    await using off = await startPair({});
    expect(await off.ask('foo.test')).toEqual([expect.stringMatching(/^502 5\.5\.1 /)]);
    await using pair = await startTestAgent((folder) => ({
      etrn: local,
      tls: tlsIn(folder),
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'submission', host: '127.0.0.1', port: 0 },
      ],
    }));
    const submission = pair.agent.listeners[1];
    const port = submission !== undefined && 'port' in submission ? submission.port : 0;
    const said = await talk(port, [
      { send: 'EHLO client.example\r\n', replies: 1 },
      { send: 'ETRN foo.test\r\n', replies: 1 },
    ]);
    expect(said[2]).toMatch(/^502 5\.5\.1 /);
  });

  it('CMD-ETRN-2 does not let go what is held, or waits for a time of its own', async () => {
    await using pair = await startPair();
    await pair.leave('<a@foo.test>');
    const [id] = [...pair.test.agent.store.waitingFor({ domain: 'foo.test' })];
    await pair.test.agent.store.change(id ?? '', ({ state }) => ({ state: { ...state, held: true }, reports: [] }));
    pair.comeBack();
    expect(await pair.ask('foo.test')).toEqual([expect.stringMatching(/^251 /)]);
    expect(pair.hop.taken).toEqual([]);
  });
});
