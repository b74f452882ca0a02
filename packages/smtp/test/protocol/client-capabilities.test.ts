import { noCapabilities, parseCapabilities } from '@posthorn/smtp/protocol/client-capabilities';
import { SessionUse } from '@posthorn/smtp/protocol/session-use';
import { reply } from '@posthorn/smtp/reply/reply';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function read(...lines: string[]) {
  return parseCapabilities(reply(250, undefined, 'mx.example hello', ...lines));
}

function to(...addresses: string[]) {
  return addresses.map((address) => {
    const [localPart = '', domain = ''] = address.split('@');
    return { mailbox: { localPart, domain } };
  });
}

describe('parseCapabilities', () => {
  it('GEN-8 reads keywords in any case, and what host they are of', () => {
    const { host, offered, mechanisms, size } = read('pipelining', 'Size 1000', 'Auth Plain LOGIN', '8BitMime');
    expect(host).toBe('mx.example');
    expect([...offered]).toEqual(['PIPELINING', 'SIZE', 'AUTH', '8BITMIME']);
    expect(mechanisms).toEqual(['PLAIN', 'LOGIN']);
    expect(size).toBe(1000);
  });

  it('EXT-SIZE-1 takes SIZE without a number, or with 0, for no limit', () => {
    expect(read('SIZE').size).toBeUndefined();
    expect(read('SIZE 0').size).toBeUndefined();
    expect(read('SIZE x').size).toBeUndefined();
    expect(read('SIZE').offered.has('SIZE')).toBe(true);
  });

  it('reads the old form of AUTH, and passes over lines that make no sense', () => {
    expect(read('AUTH=LOGIN', '', '=', ' X', 'X-ODD thing').offered).toEqual(new Set(['AUTH', 'X-ODD']));
    expect(read('AUTH=LOGIN').mechanisms).toEqual(['LOGIN']);
  });

  it('EXT-UTF8-7 takes a host that lists UTF8SMTP for one that knows no SMTPUTF8', () => {
    expect(read('UTF8SMTP').offered.has('SMTPUTF8')).toBe(false);
  });

  it('EXT-LIM-1 reads LIMITS, passing over items that are unknown or faulty, and over a faulty line', () => {
    expect(read('LIMITS MAILMAX=10 RCPTMAX=200 RCPTDOMAINMAX=1').limits).toEqual({
      mailMax: 10,
      rcptMax: 200,
      rcptDomainMax: 1,
    });
    expect(read('LIMITS mailmax=5 NEW RCPTMAX=0 RCPTDOMAINMAX=1234567 X=1').limits).toEqual({ mailMax: 5 });
    expect(read('LIMITS MAILMAX=5 \x07').limits).toEqual({});
    expect(read('PIPELINING').limits).toEqual({});
  });

  it('EXT-DBY-1 reads the least time of DELIVERBY, which may be missing before what is yet to come', () => {
    expect(read('DELIVERBY 60').deliverByMinimum).toBe(60);
    expect(read('deliverby 60,later').deliverByMinimum).toBe(60);
    for (const line of ['DELIVERBY', 'DELIVERBY ,later', 'DELIVERBY x', 'DELIVERBY -1', 'DELIVERBY 1234567890']) {
      expect(read(line).deliverByMinimum, line).toBeUndefined();
      expect(read(line).offered.has('DELIVERBY')).toBe(true);
    }
  });

  it('EXT-FUT-1 reads both limits of FUTURERELEASE, or none', () => {
    const until = Date.UTC(2026, 10, 25);
    expect(read('FUTURERELEASE 86400 2026-11-25T00:00:00Z').longestHold).toEqual({ seconds: 86_400, until });
    for (const rest of [
      '',
      ' 60',
      ' 2026-11-25T00:00:00Z',
      ' 0 2026-11-25T00:00:00Z',
      ' 60 tomorrow',
      ' 60 2026-11-25 x',
    ]) {
      expect(read(`FUTURERELEASE${rest}`).longestHold, rest).toBeUndefined();
    }
  });

  it('EXT-PRI-3 EXT-NOSOL-1 reads the policy of MT-PRIORITY and the classes of NO-SOLICITING', () => {
    expect(read('MT-PRIORITY STANAG4406').priorityPolicy).toBe('STANAG4406');
    for (const rest of ['', ' two words', ` ${'x'.repeat(21)}`, ' a/b']) {
      expect(read(`MT-PRIORITY${rest}`).priorityPolicy, rest).toBeUndefined();
    }
    expect(read('NO-SOLICITING net.example:ADV,x').refusedSolicitation).toEqual(['net.example:ADV', 'x']);
    for (const rest of ['', ' a,,b', ' 1a', ' a b']) {
      expect(read(`NO-SOLICITING${rest}`).refusedSolicitation, rest).toEqual([]);
    }
  });

  it('GEN-8 reads whatever a host says without harm', () => {
    const keywords = ['DELIVERBY', 'FUTURERELEASE', 'MT-PRIORITY', 'NO-SOLICITING', 'LIMITS', 'SIZE', 'AUTH'];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...keywords), fc.string())), (lines) => {
        const { offered, deliverByMinimum = 0, longestHold } = read(...lines.map((line) => line.join(' ')));
        expect(offered).toEqual(new Set(lines.map(([keyword]) => keyword)));
        expect(deliverByMinimum).toBeGreaterThanOrEqual(0);
        expect(longestHold?.seconds ?? 1).toBeGreaterThan(0);
      }),
    );
  });

  it('knows nothing of a host that answered HELO', () => {
    expect(noCapabilities(reply(250, undefined, 'mx.example', 'PIPELINING')).offered.size).toBe(0);
  });
});

describe('SessionUse', () => {
  it('EXT-LIM-2 CMD-RCPT-6 gives 100 recipients to one transaction, fewer where the host wants that', () => {
    const use = new SessionUse();
    const many = to(...Array.from({ length: 250 }, (_, index) => `u${index}@example.test`));
    expect(use.portion(many)).toBe(100);
    use.limits = { rcptMax: 1000 };
    expect(use.portion(many)).toBe(100);
    use.limits = { rcptMax: 7 };
    expect(use.portion(many)).toBe(7);
    expect(use.portion(many.slice(0, 3))).toBe(3);
  });

  it('EXT-LIM-2 counts every MAIL, and is used up at MAILMAX', () => {
    const use = new SessionUse();
    use.limits = { mailMax: 2 };
    use.count([]);
    expect(use.portion(to('a@example.test'))).toBe(1);
    use.count([]);
    expect(use.portion(to('a@example.test'))).toBe(0);
  });

  it('EXT-LIM-2 keeps to RCPTDOMAINMAX different domains in a session', () => {
    const use = new SessionUse();
    use.limits = { rcptDomainMax: 2 };
    const recipients = to('a@one.test', 'b@ONE.test', 'c@two.test', 'd@three.test');
    expect(use.portion(recipients)).toBe(3);
    use.count(recipients.slice(0, 3));
    expect(use.portion(to('e@two.test', 'd@three.test'))).toBe(1);
    expect(use.portion(to('d@three.test'))).toBe(0);
  });
});
