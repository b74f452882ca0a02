import { mtqpReply } from '@posthorn/smtp/mtqp/mtqp-reply';
import { MtqpReplyReader } from '@posthorn/smtp/mtqp/mtqp-reply-reader';
import type { MtqpState } from '@posthorn/smtp/mtqp/mtqp-table';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';
import { tableLaw } from '../laws/table-law.ts';
import { envelopeId, MemoryMtqp, mtqpRules, secret } from './memory-mtqp.ts';

const track = `TRACK ${envelopeId} Xwx74alNIobzsBF86F2aRGPC`;
const insecure = { connect: (isSecure: boolean) => (isSecure ? mtqpReply('ERR', 'insecure', '') : undefined) };

/** A session in a state. */
function sessionIn(state: MtqpState): MemoryMtqp {
  if (state === 'locked') return new MemoryMtqp(mtqpRules({ startTls: 'required' }));
  const server = new MemoryMtqp(mtqpRules(), state === 'insecure' ? insecure : {});
  if (state === 'handshake' || state === 'secure' || state === 'insecure') server.say('STARTTLS mail.example.org');
  if (state === 'secure' || state === 'insecure') server.secure();
  if (state === 'over') server.say('QUIT');
  return server;
}

const lines = { TRACK: track, COMMENT: 'COMMENT x', STARTTLS: 'STARTTLS mail.example.org', QUIT: 'QUIT', NOOP: 'NOOP' };

describe('an MTQP server session', () => {
  it('EXT-MTQP-2 EXT-MTQP-3 EXT-MTQP-4 EXT-MTQP-5 obeys each command in the states that the list has, and in no other', () => {
    tableLaw<MtqpState, keyof typeof lines>({
      states: ['clear', 'locked', 'handshake', 'secure', 'insecure', 'over'],
      inputs: ['TRACK', 'COMMENT', 'STARTTLS', 'QUIT', 'NOOP'],
      list: `
        clear    | TRACK    | clear
        clear    | COMMENT  | clear
        clear    | STARTTLS | handshake
        clear    | QUIT     | over
        locked   | COMMENT  | locked
        locked   | STARTTLS | handshake
        locked   | QUIT     | over
        secure   | TRACK    | secure
        secure   | COMMENT  | secure
        secure   | QUIT     | over
        insecure | QUIT     | over
      `,
      observe(state, input) {
        const server = sessionIn(state);
        expect(server.session.state).toBe(state);
        const said = server.say(lines[input]);
        return { state: server.session.state, accepted: said.startsWith('+OK') };
      },
    });
  });

  it('EXT-MTQP-2 greets with its options, and without when there are none', () => {
    expect(new MemoryMtqp().transcript).toBe('+OK+/MTQP mail.example.org tracking ready\r\nSTARTTLS\r\n.\r\n');
    expect(new MemoryMtqp(mtqpRules({ startTls: 'required' })).transcript).toContain('\r\nSTARTTLS required\r\n.\r\n');
    expect(new MemoryMtqp(mtqpRules({ startTls: 'no' })).transcript).toBe(
      '+OK/MTQP mail.example.org tracking ready\r\n',
    );
  });

  it('EXT-MTQP-2 refuses a session with the reason, and ends it', () => {
    const closed = new MemoryMtqp(mtqpRules(), { connect: () => mtqpReply('TEMP', 'admin', 'Closed for maintenance') });
    expect(closed.transcript).toBe('-TEMP/MTQP/admin Closed for maintenance\r\n');
    expect(closed.session.isOver).toBe(true);
    const gone = new MemoryMtqp(mtqpRules(), { connect: () => mtqpReply('ERR', '', 'No service here') });
    expect(gone.transcript).toBe('-ERR/MTQP/unavailable No service here\r\n');
  });

  it('EXT-MTQP-3 answers a query with a dot-stuffed entity, and all others alike', () => {
    const server = new MemoryMtqp();
    expect(server.say(track)).toBe('+OK+ Found\r\nContent-Type: x\r\n\r\n..dot\r\n..\r\n\r\n.\r\n');
    const wrongSecret = server.say(`TRACK ${envelopeId} AAECAwQFBgcICQoLDA0ODxAR`);
    expect(wrongSecret).toBe('-ERR/noinfo No information\r\n');
    expect(server.say('TRACK t18.20261121@mail.example.org Xwx74alNIobzsBF86F2aRGPC')).toBe(wrongSecret);
    expect(server.asked.at(-1)).toEqual({ kind: 'track', envelopeId: 't18.20261121@mail.example.org', secret });
  });

  it('EXT-MTQP-3 EXT-MTQP-4 wants TLS first where it is required', () => {
    const server = sessionIn('locked');
    expect(server.say(track)).toBe('-ERR/tls-required Use STARTTLS first\r\n');
    server.say('STARTTLS mail.example.org');
    server.secure();
    expect(server.say(track)).toMatch(/^\+OK\+ /);
  });

  it('EXT-MTQP-4 greets anew inside TLS, without the option, and refuses TLS within TLS', () => {
    const server = new MemoryMtqp();
    expect(server.say('STARTTLS other.example.com')).toBe('-BAD/bad-fqdn Not a name of this server\r\n');
    expect(server.say('STARTTLS mail.example.org')).toBe('+OK Begin TLS\r\n');
    expect(server.session.awaitsTls).toBe(true);
    expect(server.secure()).toBe('+OK/MTQP mail.example.org tracking ready\r\n');
    expect(server.say('STARTTLS mail.example.org')).toBe('-BAD/tls-in-progress TLS is already active\r\n');
  });

  it('EXT-MTQP-4 has no TLS without a certificate', () => {
    const server = new MemoryMtqp(mtqpRules({ startTls: 'no' }));
    expect(server.say('STARTTLS mail.example.org')).toMatch(/^-BAD\/unsupported /);
  });

  it('EXT-MTQP-4 shuts all but QUIT out where TLS is too weak', () => {
    const server = sessionIn('insecure');
    expect(server.transcript).toMatch(/\+OK\/MTQP mail\.example\.org tracking ready\r\n$/);
    for (const line of [track, 'COMMENT x', 'STARTTLS mail.example.org']) {
      expect(server.say(line)).toMatch(/^-ERR\/insecure /);
    }
    expect(server.say('QUIT')).toMatch(/^\+OK /);
  });

  it('EXT-MTQP-4 reads nothing inside TLS that came before it', () => {
    for (const injected of [track, 'QUIT', `${track}\r\nTRA`]) {
      const server = new MemoryMtqp();
      expect(server.say('STARTTLS mail.example.org', injected)).toBe('+OK Begin TLS\r\n');
      expect(server.say(injected)).toBe('');
      expect(server.secure()).toBe('+OK/MTQP mail.example.org tracking ready\r\n');
      expect(server.say('COMMENT')).toBe('+OK\r\n');
      expect(server.asked.filter(({ kind }) => kind === 'track')).toEqual([]);
    }
  });

  it('EXT-MTQP-5 answers a group of commands in its order, and nothing behind QUIT', () => {
    const server = new MemoryMtqp();
    expect(server.say('COMMENT one', 'NOOP', track, 'QUIT', track)).toBe(
      '+OK\r\n-BAD Unknown command\r\n+OK+ Found\r\nContent-Type: x\r\n\r\n..dot\r\n..\r\n\r\n.\r\n' +
        '+OK mail.example.org closing connection\r\n',
    );
    expect(server.session.isOver).toBe(true);
  });

  it('EXT-MTQP-2 EXT-MTQP-5 says the same however its input is cut', () => {
    const input = `COMMENT a\r\ntrack\t${envelopeId} Xwx74alNIobzsBF86F2aRGPC\r\n\nNOOP\r\nTRACK x\r\nQUIT\r\n`;
    cutLaw(input, (pieces) => {
      const server = new MemoryMtqp();
      for (const piece of pieces) server.send(piece);
      return { said: server.transcript, asked: server.asked, state: server.session.state };
    });
  });

  it('EXT-MTQP-1 takes lines of 998 octets, no longer ones, and stays in step', () => {
    const server = new MemoryMtqp();
    expect(server.say(`COMMENT ${'x'.repeat(990)}`)).toBe('+OK\r\n');
    expect(server.say(`COMMENT ${'x'.repeat(991)}`)).toMatch(/^-BAD /);
    expect(server.say(`COMMENT ${'x'.repeat(100_000)}`, 'COMMENT')).toMatch(/^-BAD .*\r\n\+OK\r\n$/);
  });

  it('EXT-MTQP-5 waits ten minutes for a command, and ends then without a word', () => {
    const server = new MemoryMtqp();
    server.now = 300_000;
    server.say('COMMENT');
    server.session.expire(899_999);
    expect(server.session.isOver).toBe(false);
    server.session.expire(900_000);
    expect(server.session.isOver).toBe(true);
    expect(server.session.takeOutput()).toBe('');
  });

  it('ends a session that is all faults, or endless', () => {
    const faulty = new MemoryMtqp();
    expect(faulty.say(...new Array<string>(50).fill('NOOP')).split('-BAD')).toHaveLength(11);
    expect(faulty.session.isOver).toBe(true);
    const endless = new MemoryMtqp();
    expect(endless.say(...new Array<string>(500).fill('COMMENT')).split('+OK')).toHaveLength(101);
    expect(endless.session.isOver).toBe(true);
  });

  it('ends at a shutdown, and answers an open question before', () => {
    const idle = new MemoryMtqp();
    idle.session.shutdown();
    expect(idle.session.isOver).toBe(true);
    const asking = new MemoryMtqp();
    asking.session.receive(Buffer.from(`${track}\r\n`), 0);
    expect(asking.session.next()?.kind).toBe('track');
    asking.session.abandon('shutdown');
    expect(asking.session.takeOutput()).toMatch(/^-TEMP\/unavailable /);
    expect(asking.session.isOver).toBe(true);
  });

  it('EXT-MTQP-2 stays in step whatever comes', () => {
    const word = fc.oneof(
      fc.constantFrom(...Object.values(lines), 'TRACK <', '\r', '\n', '\0', '.', 'STARTTLS'),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const server = new MemoryMtqp(mtqpRules({ startTls: 'no' }));
        const before = server.transcript.length;
        server.send(words.join('\r\n'));
        const reader = new MtqpReplyReader();
        reader.push(Buffer.from(server.transcript.slice(before)));
        for (let reply = reader.next(); reply !== undefined; reply = reader.next()) expect(reply).not.toBe('garbage');
      }),
    );
  });
});
