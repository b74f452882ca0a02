import type { BindingOf } from '@posthorn/smtp/sasl/channel';
import type { ServerStep } from '@posthorn/smtp/sasl/mechanism';
import { scramClient } from '@posthorn/smtp/sasl/scram-client';
import {
  formatScramKeys,
  inventKeys,
  keysOf,
  parseScramKeys,
  type ScramHash,
  type ScramKeys,
  saltPassword,
} from '@posthorn/smtp/sasl/scram-keys';
import { parseClientFinal, parseClientFirst, parseServerFirst } from '@posthorn/smtp/sasl/scram-message';
import { scramServer } from '@posthorn/smtp/sasl/scram-server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const secret = Buffer.alloc(32, 7);
const login = { user: 'user', password: 'pencil', authorizeAs: '' };

function keysFor(hash: ScramHash, password: string, salt: Buffer, iterations = 4096): ScramKeys {
  return keysOf(hash, saltPassword(hash, password, { salt, iterations }), { salt, iterations });
}

/** The exchanges that the standards print. */
const examples = [
  {
    hash: 'SHA-1',
    clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverNonce: '3rfcNHYJY1ZVvWVs7j',
    salt: 'QSXCR+Q6sek8bf92',
    proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    hash: 'SHA-256',
    clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
] as const;

interface Meeting {
  readonly hash?: ScramHash;
  readonly plus?: boolean;
  readonly known?: ScramKeys | undefined;
  readonly given?: { user: string; password: string; authorizeAs: string };
  readonly clientBinding?: BindingOf;
  readonly serverBinding?: BindingOf;
  readonly clientSees?: readonly string[];
  readonly serverOffers?: readonly string[];
}

/** Leads both sides to the point where the application decides. */
function meet({ hash = 'SHA-256', plus = false, ...meeting }: Meeting) {
  const { given = login, clientBinding, serverBinding, clientSees = [], serverOffers = [] } = meeting;
  const known = 'known' in meeting ? meeting.known : keysFor(hash, 'pencil', Buffer.from('salt of the user'));
  const server = scramServer({ hash, plus, secret, nextNonce: () => 'server' }).server({
    offered: serverOffers,
    ...(serverBinding && { binding: serverBinding }),
  });
  const client = scramClient({ hash, plus, nextNonce: () => 'client' }).client(given, {
    offered: clientSees,
    ...(clientBinding && { binding: clientBinding }),
  });
  const first = server.begin(client.initial);
  if (first.kind !== 'keys') return { server, client, step: first };
  const challenge = server.take?.(known);
  const answer = challenge?.kind === 'challenge' ? client.next(challenge.bytes) : undefined;
  return { server, client, request: first.request, step: server.next(answer ?? Buffer.alloc(0)) };
}

function provenIn(step: ServerStep): boolean | undefined {
  return step.kind === 'verify' && 'proven' in step.credentials ? step.credentials.proven : undefined;
}

const bound =
  (text: string, only?: string): BindingOf =>
  (type) =>
    only === undefined || only === type ? Buffer.from(`${type} ${text}`) : undefined;

describe('SCRAM', () => {
  it.each(examples)('CMD-AUTH-12 speaks as the example of its standard does, with $hash', (example) => {
    const { hash, clientNonce, serverNonce, salt, proof, signature } = example;
    const keys = keysFor(hash, 'pencil', Buffer.from(salt, 'base64'));
    const server = scramServer({ hash, plus: false, secret, nextNonce: () => serverNonce }).server();
    const client = scramClient({ hash, plus: false, nextNonce: () => clientNonce }).client(login);
    expect(client.initial?.toString()).toBe(`n,,n=user,r=${clientNonce}`);
    expect(server.begin(client.initial)).toEqual({ kind: 'keys', request: { user: 'user', hash } });
    const challenge = `r=${clientNonce}${serverNonce},s=${salt},i=4096`;
    expect(server.take?.(keys)).toEqual({ kind: 'challenge', bytes: Buffer.from(challenge) });
    const answer = client.next(Buffer.from(challenge)) ?? Buffer.alloc(0);
    expect(answer.toString()).toBe(`c=biws,r=${clientNonce}${serverNonce},p=${proof}`);
    expect(server.next(answer)).toEqual({
      kind: 'verify',
      credentials: { mechanism: `SCRAM-${hash}`, user: 'user', authorizeAs: '', proven: true },
    });
    expect(client.isMutual).toBe(false);
    expect(server.lastWord?.(true)?.toString()).toBe(`v=${signature}`);
    expect(server.lastWord?.(false)).toBeUndefined();
    expect(client.next(Buffer.from(`v=${signature}`))).toEqual(Buffer.alloc(0));
    expect(client.isMutual).toBe(true);
  });

  it('CMD-AUTH-12 tells a wrong password and an unknown user by the end alone, and invents the same salt each time', () => {
    expect(provenIn(meet({ given: { ...login, password: 'pencils' } }).step)).toBe(false);
    expect(provenIn(meet({ known: undefined }).step)).toBe(false);
    const challengeFor = (user: string) => {
      const server = scramServer({ hash: 'SHA-256', plus: false, secret, nextNonce: () => 'x' }).server();
      server.begin(Buffer.from(`n,,n=${user},r=c`));
      const step = server.take?.(undefined);
      return step?.kind === 'challenge' ? step.bytes.toString() : '';
    };
    expect(challengeFor('nobody')).toBe(challengeFor('nobody'));
    expect(challengeFor('nobody')).not.toBe(challengeFor('another'));
    expect(parseServerFirst(challengeFor('nobody'))?.salt).toHaveLength(16);
  });

  it('CMD-AUTH-12 lets nobody in by keys that were invented, even with the very key', () => {
    const known = keysFor('SHA-256', 'pencil', Buffer.from('salt of the user'));
    const { step } = meet({ known });
    expect(provenIn(step)).toBe(true);
    const invented = inventKeys('SHA-256', 'user', secret);
    expect(invented.storedKey).not.toEqual(known.storedKey);
  });

  it('CMD-AUTH-12 binds the login to its connection, by the newer way where there is one', () => {
    const plus = { plus: true, clientSees: ['SCRAM-SHA-256-PLUS'], serverOffers: ['SCRAM-SHA-256-PLUS'] };
    const both = meet({ ...plus, clientBinding: bound('one'), serverBinding: bound('one') });
    expect(provenIn(both.step)).toBe(true);
    expect(both.client.initial?.toString()).toBe('p=tls-exporter,,n=user,r=client');
    const older = bound('one', 'tls-server-end-point');
    const old = meet({ ...plus, clientBinding: older, serverBinding: older });
    expect(old.client.initial?.toString()).toBe('p=tls-server-end-point,,n=user,r=client');
    expect(provenIn(old.step)).toBe(true);
    // Somebody between the two has another connection to each of them.
    expect(provenIn(meet({ ...plus, clientBinding: bound('one'), serverBinding: bound('other') }).step)).toBe(false);
    expect(meet({ ...plus, clientBinding: bound('one'), serverBinding: older }).step.kind).toBe('refused');
    expect(meet({ ...plus, serverBinding: bound('one') }).client.initial).toBeUndefined();
  });

  it('CMD-AUTH-12 refuses who believes that no binding is on offer, where one is', () => {
    const clientBinding = bound('one');
    const cut = meet({ clientBinding, serverOffers: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] });
    expect(cut.client.initial?.toString()).toBe('y,,n=user,r=client');
    expect(cut.step.kind).toBe('refused');
    expect(provenIn(meet({ clientBinding, serverOffers: ['SCRAM-SHA-256'] }).step)).toBe(true);
    // Who sees the offer and does without says so, too.
    const sees = meet({ clientBinding, clientSees: ['SCRAM-SHA-256-PLUS'], serverOffers: ['SCRAM-SHA-256-PLUS'] });
    expect(sees.client.initial?.toString()).toMatch(/^n,/);
  });

  it('CMD-AUTH-12 keeps the header as it was signed: a changed flag or binding proves nothing', () => {
    const server = scramServer({ hash: 'SHA-256', plus: false, secret, nextNonce: () => 'server' }).server();
    const client = scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'client' }).client(login, {
      offered: [],
      binding: bound('one'),
    });
    // The client said `y`, and somebody made it `n`.
    server.begin(Buffer.from(client.initial?.toString().replace(/^y/, 'n') ?? ''));
    const step = server.take?.(keysFor('SHA-256', 'pencil', Buffer.from('salt of the user')));
    const answer = step?.kind === 'challenge' ? client.next(step.bytes) : undefined;
    expect(provenIn(server.next(answer ?? Buffer.alloc(0)))).toBe(false);
  });

  it('CMD-AUTH-12 finds malformed what is no message, or names a binding in the wrong mechanism', () => {
    const first = (text: string, plus = false) =>
      scramServer({ hash: 'SHA-256', plus, secret, nextNonce: () => 's' })
        .server({ offered: [], binding: bound('one') })
        .begin(Buffer.from(text)).kind;
    for (const text of [
      '',
      'n',
      'n,,',
      'n,,n=,r=x',
      'n,,n=user',
      'n,,n=user,r=',
      'n,,m=x,n=user,r=x',
      'n,,n=a=41b,r=x',
      'q,,n=user,r=x',
      'n,b=x,n=user,r=x',
      'p=tls-exporter,,n=user,r=x',
      'n,,n=user,r=a b',
      'n,,n=u\0ser,r=x',
      'n,,n=\u0007,r=x',
    ]) {
      expect(first(text), text).toBe('malformed');
    }
    expect(first('n,,n=user,r=x', true)).toBe('malformed');
    expect(first('p=tls-unique,,n=user,r=x', true)).toBe('refused');
    expect(first('p=tls-exporter,,n=user,r=x', true)).toBe('keys');
    expect(first('n,a=ann=2C=3D,n=us=2Cer,r=x,x=more')).toBe('keys');
    const server = scramServer({ hash: 'SHA-256', plus: false, secret, nextNonce: () => 's' }).server();
    server.begin(Buffer.from('n,,n=user,r=x'));
    server.take?.(undefined);
    for (const text of ['', 'c=biws', 'c=biws,r=xs', 'c=,r=xs,p=', 'c=b,r=xs,p=AAAA', 'c=biws,p=AAAA,r=xs']) {
      expect(['malformed', 'verify'], text).toContain(server.next(Buffer.from(text)).kind);
      expect(provenIn(server.next(Buffer.from(text))) ?? false).toBe(false);
    }
  });

  it('CMD-AUTH-12 gives a host up that has not heard us, asks for too little or too much work, or proves nothing', () => {
    const client = () => scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'mine' }).client(login);
    const salt = 's=c2FsdHNhbHQ=';
    for (const text of [
      '',
      `r=mine,${salt},i=4096`,
      `r=other,${salt},i=4096`,
      `r=mineyours,${salt},i=4095`,
      `r=mineyours,${salt},i=600001`,
      `r=mineyours,${salt},i=99999999999999`,
      `r=mineyours,s=,i=4096`,
      `r=mineyours,s=***,i=4096`,
      `m=x,r=mineyours,${salt},i=4096`,
      'e=invalid-proof',
    ]) {
      const exchange = client();
      if (text === '') expect(exchange.next(Buffer.alloc(0))).toEqual(exchange.initial);
      expect(exchange.next(Buffer.from(text)), text).toBeUndefined();
      expect(exchange.isMutual).toBe(false);
    }
    for (const last of ['v=AAAA', 'v=', 'e=other-error', '', `v=${Buffer.alloc(32).toString('base64')}`]) {
      const exchange = client();
      expect(exchange.next(Buffer.from(`r=mineyours,${salt},i=4096`))).toBeDefined();
      expect(exchange.next(Buffer.from(last)), last).toBeUndefined();
      expect(exchange.isMutual).toBe(false);
    }
  });

  it('CMD-AUTH-12 agrees with itself for every name and password, and with nobody else', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((given) => /^[\p{L}\p{N}=, ]+$/u.test(given));
    fc.assert(
      fc.property(text, text, fc.constantFrom<ScramHash>('SHA-1', 'SHA-256'), (user, password, hash) => {
        const known = keysFor(hash, password.normalize('NFKC'), Buffer.from('salt'));
        const right = meet({ hash, known, given: { user, password, authorizeAs: 'x=,y' } });
        expect(right.request).toEqual({ user: user.normalize('NFKC'), hash });
        expect(right.step).toMatchObject({ credentials: { authorizeAs: 'x=,y', proven: true } });
        expect(provenIn(meet({ hash, known, given: { user, password: `${password}x`, authorizeAs: '' } }).step)).toBe(
          false,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('CMD-AUTH-12 reads any octets without an exception', () => {
    const pieces = fc.constantFrom('n', 'y', 'p=', ',', '=', 'r=', 'n=', 'a=', 'c=biws', 's=', 'i=4096', 'p=AAAA', 'x');
    const octets = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.array(pieces).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(octets, (bytes) => {
        const first = parseClientFirst(bytes);
        if (first !== undefined) expect(`${first.header}${first.bare}`).toBe(bytes.toString());
        const final = parseClientFinal(bytes);
        if (final !== undefined) expect(bytes.toString().startsWith(`${final.withoutProof},p=`)).toBe(true);
        parseServerFirst(bytes.toString('latin1'));
      }),
    );
  });

  it('CMD-AUTH-12 keeps keys as text, and reads nothing else', () => {
    const keys = keysFor('SHA-256', 'pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
    const text = formatScramKeys('SHA-256', keys);
    expect(text).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
    expect(parseScramKeys(text)).toEqual({ hash: 'SHA-256', keys });
    for (const wrong of [
      text.replace('4096', '4095'),
      text.replace('SHA-256', 'SHA-1'),
      `${text}x`,
      text.slice(0, -3),
      '',
    ]) {
      expect(parseScramKeys(wrong), wrong).toBeUndefined();
    }
  });
});
