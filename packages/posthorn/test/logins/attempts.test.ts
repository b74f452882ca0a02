import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoginAttempts } from '../../src/logins/attempts.ts';

const limits = { addressFailures: 3, loginFailures: 5, period: 60_000 };

function attempts() {
  const clock = { now: 0 };
  return { clock, tried: new LoginAttempts(limits, () => clock.now) };
}

describe('failed logins', () => {
  it('CMD-AUTH-18 are bounded for each client network, whatever the login, and forgotten evenly', () => {
    const { clock, tried } = attempts();
    for (const login of ['a', 'b', 'c']) {
      expect(tried.isTooMany('192.0.2.1', login)).toBe(false);
      tried.failed('192.0.2.1', login);
    }
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(true);
    expect(tried.isTooMany('192.0.2.2', 'd')).toBe(false);
    clock.now += 20_000;
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(false);
    tried.failed('192.0.2.1', 'd');
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(true);
    clock.now += 60_000;
    for (let turn = 0; turn < 3; turn += 1) {
      expect(tried.isTooMany('192.0.2.1', 'd')).toBe(false);
      tried.failed('192.0.2.1', `x${turn}`);
    }
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(true);
  });

  it('CMD-AUTH-18 count all the more where many come at once, but never for ever', () => {
    const { clock, tried } = attempts();
    for (let turn = 0; turn < 100; turn += 1) tried.failed('192.0.2.1', `x${turn}`);
    clock.now += 4 * 60_000;
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(true);
    clock.now += 60_000;
    expect(tried.isTooMany('192.0.2.1', 'd')).toBe(false);
  });

  it('CMD-AUTH-18 take one IPv6 network of 64 bits for one client', () => {
    const { tried } = attempts();
    for (const end of ['1', '2', '3']) tried.failed(`2001:db8:0:1::${end}`, 'a');
    expect(tried.isTooMany('2001:db8:0:1::ffff', 'b')).toBe(true);
    expect(tried.isTooMany('2001:db8:0:2::1', 'b')).toBe(false);
  });

  it('CMD-AUTH-18 are bounded for each login from everywhere, but keep its owner out of nothing', () => {
    const { tried } = attempts();
    tried.succeeded('198.51.100.1', 'ann');
    for (let host = 0; host < 5; host += 1) tried.failed(`192.0.2.${host}`, 'ann');
    expect(tried.isTooMany('192.0.2.99', 'ann')).toBe(true);
    expect(tried.isTooMany('198.51.100.1', 'ann')).toBe(false);
    expect(tried.isTooMany('192.0.2.99', 'bob')).toBe(false);
    expect(tried.isTooMany('192.0.2.99', '')).toBe(false);
  });

  it('CMD-AUTH-18 never refuse who failed less often than is allowed', () => {
    const step = fc.record({
      host: fc.integer({ min: 1, max: 3 }),
      login: fc.constantFrom('a', 'b'),
      wait: fc.nat(30_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { clock, tried } = attempts();
        const failures: { host: number; login: string }[] = [];
        for (const { host, login, wait } of steps) {
          clock.now += wait;
          const ofHost = failures.filter((each) => each.host === host).length;
          const ofLogin = failures.filter((each) => each.login === login).length;
          if (ofHost < 3 && ofLogin < 5) expect(tried.isTooMany(`192.0.2.${host}`, login)).toBe(false);
          tried.failed(`192.0.2.${host}`, login);
          failures.push({ host, login });
        }
      }),
    );
  });
});
