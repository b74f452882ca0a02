import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowances } from '../../src/filters/allowances.ts';
import { ClientRates } from '../../src/filters/client-rates.ts';

const minute = 60_000;

describe('the rates of strangers', () => {
  it('REP-421 ENH-7d SEC-RES-1 bound connections, messages and recipients of one address, which then has to wait', () => {
    let now = 0;
    const rates = new ClientRates({ connections: 2, messages: 2, recipients: 2 }, () => now);
    const client = '192.0.2.7';
    const asks = {
      connection: () => rates.connection(client),
      message: () => rates.message(client, ''),
      recipient: () => rates.recipient(client),
    };
    for (const ask of Object.values(asks)) expect([ask(), ask()]).toEqual([undefined, undefined]);
    expect(asks.connection()).toMatchObject({ code: 421, status: '4.7.0' });
    expect(asks.message()).toMatchObject({ code: 450, status: '4.7.28' });
    expect(asks.recipient()).toMatchObject({ code: 452, status: '4.7.28' });
    expect(asks.message()?.lines[0]).toContain('try again in 30 seconds');
    now += minute / 2;
    expect([asks.connection(), asks.message(), asks.recipient()]).toEqual([undefined, undefined, undefined]);
    expect(asks.connection()).toBeDefined();
  });

  it('SEC-RES-1 count a network of 64 bits as one client, and neighbours together', () => {
    const rates = new ClientRates({ connections: 1, messages: 1, recipients: 1 }, () => 0);
    expect(rates.connection('2001:db8:1:2::1')).toBeUndefined();
    expect(rates.connection('2001:db8:1:2::2')).toBeDefined();
    const others = Array.from({ length: 20 }, (_, index) => rates.connection(`192.0.2.${index}`));
    expect(others.filter((reply) => reply === undefined)).toHaveLength(8);
    expect(rates.connection('192.0.3.1')).toBeUndefined();
  });

  it('SEC-RES-1 bound a sender wherever it comes from, where that is asked for', () => {
    const rates = new ClientRates({ connections: 9, messages: 9, recipients: 9, senderMessages: 1 }, () => 0);
    expect(rates.message('192.0.2.1', 'a@example.com')).toBeUndefined();
    expect(rates.message('198.51.100.1', 'A@example.com')).toMatchObject({ code: 450, status: '4.7.28' });
    expect([rates.message('192.0.2.1', ''), rates.message('192.0.2.1', '')]).toEqual([undefined, undefined]);
  });
});

describe('an allowance', () => {
  it('SEC-RES-1 never allows more than twice its times in a period, and remembers no more keys than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 })), fc.integer({ min: 1, max: 9 }), (waits, times) => {
        let now = 0;
        const allowances = new Allowances({ times, period: 1000, now: () => now, mostKeys: 2 });
        const allowed: number[] = [];
        for (const wait of waits) {
          now += wait;
          const left = allowances.take('key');
          if (left === undefined) allowed.push(now);
          else expect(left).toBeLessThanOrEqual(1000 / times);
          allowances.take('other');
        }
        for (const start of allowed) {
          expect(allowed.filter((at) => at >= start && at < start + 1000).length).toBeLessThanOrEqual(2 * times);
        }
      }),
    );
  });

  it('SEC-RES-1 forgets who was not here for longest when there are too many', () => {
    const allowances = new Allowances({ times: 1, period: 1000, now: () => 0, mostKeys: 2 });
    allowances.take('a');
    allowances.take('b');
    expect(allowances.take('a')).toBe(1000);
    allowances.take('c');
    expect([allowances.take('a'), allowances.take('b')]).toEqual([1000, undefined]);
  });
});
