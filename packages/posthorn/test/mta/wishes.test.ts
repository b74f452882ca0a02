import type { Session, Transaction } from '@posthorn/smtp/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeaderWishes } from '../../src/mta/header-wishes.ts';
import { Log } from '../../src/mta/log.ts';
import { createPolicy } from '../../src/mta/policy.ts';
import { Wishes } from '../../src/mta/wishes.ts';
import { createMemoryStore } from '../../src/spool/memory-store.ts';
import { configOf, memoryLog } from './fixture.ts';

function start(isCrowded: boolean) {
  let time = 0;
  const config = configOf({
    hostname: 'mx.example.org',
    dataDir: '/nowhere',
    listeners: [{ role: 'mx' }],
    extensions: { deliverBy: {} },
  });
  const policy = createPolicy(config);
  const now = () => time;
  const store = createMemoryStore({ now });
  const wishes = new Wishes({
    extensions: config.extensions,
    policy: () => policy,
    store,
    isCrowded: () => isCrowded,
    log: new Log(memoryLog()),
    now,
  });
  return {
    wishes,
    at(next: number): void {
      time = next;
    },
  };
}

const session = { clientAddress: '192.0.2.1' } as Session;
const asking = (mail: Transaction['mail']): Transaction => ({ reversePath: null, mail, recipients: [] });

describe('wishes', () => {
  it('REP-455 ENH-4/4.4.5 promises no time while too much mail is under way, but takes what need not be in time', () => {
    const { wishes } = start(true);
    const by = (mode: 'R' | 'N') => wishes.checkMail(session, asking({ deliverBy: { seconds: 60, mode } }));
    expect(by('R')).toMatchObject({ code: 455, status: '4.4.5' });
    expect(by('N')).toBeUndefined();
    expect(wishes.checkMail(session, asking({}))).toBeUndefined();
  });

  it('EXT-DBY-2 EXT-FUT-3 counts times from MAIL, however long the text takes', () => {
    const { wishes, at } = start(false);
    const mail = { deliverBy: { seconds: 60, mode: 'N' }, hold: { for: 10 } } as const;
    at(1000);
    wishes.checkMail(session, asking(mail));
    at(31_000);
    expect(wishes.grant(session, asking(mail))).toMatchObject({
      deliverBy: { until: 61_000, mode: 'N' },
      heldUntil: 11_000,
    });
  });

  it('grants nothing to mail that asks for nothing, and makes nothing for it', () => {
    const { wishes } = start(false);
    expect(wishes.grant(session, asking({}))).toBe(wishes.grant(session, asking({})));
    expect(wishes.grant(session, asking({ body: '8BITMIME', size: 10 }))).toEqual({});
  });
});

describe('the wishes of a header', () => {
  const read = (header: string) => readHeaderWishes(Buffer.from(header));

  it('EXT-NOSOL-3 takes classes from well-formed Solicitation fields alone', () => {
    expect(read('Solicitation: org.example:A,net.example:B\r\nSolicitation: a b\r\n').solicit).toEqual([
      'org.example:A',
      'net.example:B',
    ]);
    expect(read('Received: from x (SOLICIT=org.example:A)\r\nX-Solicitation: org.example:A\r\n').solicit).toEqual([]);
  });

  it('reads whom a recipient has to be since when', () => {
    const field = 'Require-Recipient-Valid-Since: user@example.com;\r\n Sat, 1 Jun 2013 09:23:01 -0700\r\n';
    expect(read(field).owners).toEqual([{ address: 'user@example.com', since: Date.UTC(2013, 5, 1, 16, 23, 1) }]);
    expect(read('Require-Recipient-Valid-Since: user@example.com\r\n').owners).toEqual([]);
    expect(read('Require-Recipient-Valid-Since: ; Sat, 1 Jun 2013 09:23:01 -0700\r\n').owners).toEqual([]);
  });

  it('comes to an end with any header', () => {
    const names = fc.constantFrom('Solicitation', 'TLS-Required', 'Require-Recipient-Valid-Since');
    fc.assert(
      fc.property(names, fc.string({ maxLength: 200, unit: 'binary' }), (name, value) => {
        const { solicit, owners } = read(`${name}: ${value}\r\n`);
        expect(solicit.every((each) => /^[a-z][a-z0-9._:-]*$/i.test(each))).toBe(true);
        expect(owners.every(({ since }) => Number.isFinite(since))).toBe(true);
      }),
    );
  });
});
